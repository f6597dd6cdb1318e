/** Topics that remotes tell, and on which they send: what is believed, and what is refused. */

import { describe, expect, it } from "vitest";

import { CloseTopic, KeepaliveTopic, OfferTopic } from "../../../generated/typescript/topics.js";
import { RemoteProtocolError } from "../../src/errors.js";
import { TopicResolver } from "../../src/protocol/topic-resolver.js";
import { headers } from "./orbiters.js";

const RESOLVER = new TopicResolver("plugin", "lamp");

describe("a topic that a remote tells", () => {
  it("gets this orbiter as its sender", () => {
    const resolved = RESOLVER.resolve(OfferTopic, "core", "orbitalis/core/-/offer", { isToldToAnybody: true });
    expect(resolved).toBe("orbitalis/core/lamp/offer");
    expect(RESOLVER.resolve(OfferTopic, "core", "orbitalis/core/-/offer")).toBe("orbitalis/core/lamp/offer");
  });

  it("may have a layout of its own", () => {
    expect(RESOLVER.resolve(KeepaliveTopic, "core", "house/core/alive")).toBe("house/core/alive");
  });

  it("keeps the levels that the remote has chosen", () => {
    const topic = "orbitalis/core/lamp/operations/shine/close/c1";
    expect(RESOLVER.resolve(CloseTopic, "core", topic, { levels: null })).toBe(topic);
    expect(() =>
      RESOLVER.resolve(CloseTopic, "core", "orbitalis/other/lamp/operations/shine/close/c1", { levels: null }),
    ).toThrow("expected recipientIdentifier 'core', got 'other'");
  });

  it.each([
    ["orbitalis/other/lamp/keepalive", "got 'other'"],
    ["orbitalis/core/other/keepalive", "got 'other'"],
    ["orbitalis/core/lamp/keepalives", "expected a topic of the form"],
    ["", "it is empty"],
    ["house/+/alive", "it contains a wildcard"],
    ["house/\u0000", "it contains a character that no topic may contain"],
    ["h".repeat(1201), "it is longer than 1200 bytes"],
  ])("is refused if it is %j", (topic, reason) => {
    expect(() => RESOLVER.resolve(KeepaliveTopic, "core", topic)).toThrow(RemoteProtocolError);
    expect(() => RESOLVER.resolve(KeepaliveTopic, "core", topic)).toThrow(reason);
  });
});

describe("an event", () => {
  it("is the sender's alone where the topic says so", () => {
    expect(RESOLVER.checkEvent("orbitalis/lamp/core/reply", "core", headers())).toBe(true);
    expect(RESOLVER.checkEvent("$handshake.discover", "core", headers())).toBe(false);
    expect(RESOLVER.checkEvent("orbitalis/lamp/-/keepalive", "core", headers({ incarnation: null }))).toBe(false);
  });

  it.each([
    ["orbitalis/lamp/other/reply", "c", "claims to come from 'core'"],
    ["orbitalis/lamp/-/reply", "c", "which is for '-' to publish to"],
    ["$handshake.discover", "a/b", "sent a header that cannot be used"],
    ["$handshake.discover", "c".repeat(256), "is 256 characters long"],
  ])("on %s about connection %.5s is refused", (topic, connectionIdentifier, reason) => {
    expect(() => RESOLVER.checkEvent(topic, "core", headers({ connectionIdentifier }))).toThrow(reason);
  });

  it.each(["", "a/b", "-", "a#", "x".repeat(256)])("of %.5j has no sender", (identifier) => {
    expect(() => RESOLVER.checkIdentifier(identifier)).toThrow(RemoteProtocolError);
  });
});
