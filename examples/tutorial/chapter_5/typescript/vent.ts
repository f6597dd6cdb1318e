/** A vent in TypeScript that keeps the contract: `node dist/vent.js roof`. */

import process from "node:process";

import { connectMqtt } from "@orbitalis/sdk";

import { VentJammed, VentsPlugin, position, type Opening, type Position } from "./vents/index.js";

/** A vent that jams at 80 percent. */
class Vent extends VentsPlugin {
  setOpening(message: Opening): Position {
    if (message.percent > 80) {
      throw new VentJammed({ stuckAt: 80 });
    }
    console.log(`${this.identifier} is open to ${message.percent.toFixed(0)} %`);
    return position({ percent: message.percent });
  }
}

const bus = connectMqtt(process.env["ORBITALIS_BUS"] ?? "mqtt://localhost:1883");
const vent = new Vent({ identifier: process.argv[2] ?? "roof", bus });
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => void end());
}
await vent.start();
console.log(`${vent.identifier} has started`);

/** Let what is under way come to its end, and stop. */
async function end(): Promise<void> {
  await vent.leave(5);
  await vent.stop();
}
