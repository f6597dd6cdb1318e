/** A vent in TypeScript that keeps the contract: `node dist/vent.js roof`. */

import { connectMqtt, Plugin } from "@orbitalis/sdk";

import { setOpening } from "./vents.js";

const identifier = process.argv[2] ?? "roof";
const bus = connectMqtt(process.env["ORBITALIS_BUS"] ?? "mqtt://localhost:1883");
const vent = new Plugin({ identifier, bus });

vent.operation(setOpening, (request) => {
  const { percent } = request.value;
  if (percent > 80) {
    return { stuckAt: 80 };
  }
  console.log(`${identifier} is open to ${percent.toFixed(0)} %`);
  return { percent };
});

await vent.start();
console.log(`${identifier} has started`);

process.once("SIGTERM", () => void end());
process.once("SIGINT", () => void end());

/** Let what is under way come to its end, and stop. */
async function end(): Promise<void> {
  await vent.leave(5);
  await vent.stop();
}
