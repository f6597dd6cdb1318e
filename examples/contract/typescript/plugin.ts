/** A lamp that keeps the contract: `node plugin.js mqtt://localhost:1883`. */

import process from "node:process";

import { connectMqtt } from "@orbitalis/sdk";

import { BulbBroken, LampsPlugin, status, type Status, type TurnOn } from "./lamps/index.js";

/** A lamp with a weak bulb. */
class Lamp extends LampsPlugin {
  async turnOn(message: TurnOn): Promise<Status> {
    if (message.level > 0.9) {
      throw new BulbBroken({ hours: 1000n });
    }
    await this.sendPower(60 * message.level);
    return status({ on: true });
  }

  async turnOff(): Promise<Status> {
    await this.sendPower(0);
    return status({ on: false });
  }
}

const lamp = new Lamp({ identifier: "lamp", bus: connectMqtt(process.argv[2] ?? "mqtt://localhost:1883") });
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => void lamp.stop());
}
await lamp.start();
console.log("lamp has started");
