/** Takes part in a measurement over MQTT, as JSON lines tell: a core, a plugin, or one side of a bare echo. */

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import { connectMqtt, Core, defineOperation, Plugin, text } from "../../typescript/dist/typescript/src/index.js";

const mqtt = createRequire(new URL("../../typescript/package.json", import.meta.url))("mqtt");

const lowercase = defineOperation({ name: "lowercase", input: text, output: text });
const QUESTIONS = "echo/questions";
const ANSWERS = "echo/answers";
const report = (event, content = {}) => console.log(JSON.stringify({ event, ...content }));

/** A client of mqtt.js that sends small packets at once, as that of the SDK does. */
async function bareClient(url) {
    const client = await mqtt.connectAsync(url, { protocolVersion: 5 });
    client.stream.setNoDelay(true);
    return client;
}

/** By kind: what starts, and returns what is measured, if there is something. */
const KINDS = {
    async plugin(url) {
        const plugin = new Plugin({ identifier: "plugin", bus: connectMqtt(url) });
        await plugin.operation(lowercase, ({ value }) => value.toLowerCase()).start();
    },
    async core(url) {
        const core = new Core({ identifier: "core", bus: connectMqtt(url) }).require(lowercase, { minimum: 1 });
        await core.start();
        await core.compliant();
        return () => core.request(lowercase, "HELLO");
    },
    async answering(url) {
        const client = await bareClient(url);
        client.on("message", (_, data) => client.publish(ANSWERS, data, { qos: 1 }));
        await client.subscribeAsync(QUESTIONS, { qos: 1 });
    },
    async asking(url) {
        const client = await bareClient(url);
        const waiting = new Map();
        client.on("message", (_, data) => {
            const number = String(data);
            waiting.get(number)();
            waiting.delete(number);
        });
        await client.subscribeAsync(ANSWERS, { qos: 1 });
        let asked = 0;
        return () =>
            new Promise((resolve) => {
                const number = String(++asked);
                waiting.set(number, resolve);
                client.publish(QUESTIONS, number, { qos: 1 });
            });
    },
};

function cpu() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
}

const [kind = "", url = ""] = process.argv.slice(2);
const call = await KINDS[kind](url);
const commands = {
    cpu: async () => cpu(),
    /** Call so many times, so many at a time; return the seconds of the clock and of the processor. */
    async repeat(count, atOnce) {
        const some = async () => {
            for (let left = Math.floor(count / atOnce); left > 0; left--) {
                await call();
            }
        };
        const [began, cpuBefore] = [performance.now(), cpu()];
        await Promise.all(Array.from({ length: atOnce }, some));
        return { wall: (performance.now() - began) / 1000, cpu: cpu() - cpuBefore };
    },
};
report("started");
for await (const line of createInterface({ input: process.stdin })) {
    const [command, ...given] = JSON.parse(line);
    report("answer", { value: await commands[command](...given) });
}
process.exit(0);
