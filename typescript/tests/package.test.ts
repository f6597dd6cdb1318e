import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { IMPLEMENTATION_VERSION } from "../src/version.js";

test("operators are told the version of the package", () => {
  const content = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };

  expect(IMPLEMENTATION_VERSION).toBe(content.version);
});
