/** A core that uses the lamp: `node core.js mqtt://localhost:1883`. */

import process from "node:process";

import { connectMqtt, Core } from "@orbitalis/sdk";

import { BulbBroken, LampsClient, turnOn } from "./lamps/index.js";

const core = new Core({ identifier: "house", bus: connectMqtt(process.argv[2] ?? "mqtt://localhost:1883") });
const lamps = new LampsClient(core, { minimum: 1 });
lamps.power.sink((watts) => {
  console.log(`the lamp takes ${watts} W`);
});
await core.start();
await core.compliant();
console.log(await lamps.turnOn(turnOn({ level: 0.5 })));
try {
  await lamps.turnOn(turnOn({ level: 1 }));
} catch (error) {
  if (!(error instanceof BulbBroken)) {
    throw error;
  }
  console.log(`the bulb is broken after ${error.hours} hours`);
}
console.log(await lamps.turnOff({ plugin: "lamp" }));
await core.stop();
