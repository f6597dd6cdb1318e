/** Measures codecs: reads cases as JSON from a file, and says how many microseconds of the processor each call takes. */

import { readFileSync } from "node:fs";

import { record } from "../../typescript/dist/typescript/src/index.js";
import { codecs, envelope } from "../../typescript/dist/generated/typescript/index.js";

const SLICE = 0.02;
const WARM_UP = 0.15;
const { cases, isQuick } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));

function seconds() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
}

/** Call for so many seconds; return the microseconds of a call. */
function measure(call, duration) {
    let calls = 0;
    const began = seconds();
    let took;
    do {
        for (let left = 50; left > 0; left--) {
            call();
        }
        calls += 50;
        took = seconds() - began;
    } while (took < duration);
    return (took / calls) * 1e6;
}

function callsOf({ type, schema, hex }) {
    const data = Uint8Array.from(Buffer.from(hex, "hex"));
    if (type === "event") {
        const { envelope: read } = envelope.decodeEvent(data);
        return [() => envelope.encodeEvent(read, envelope.Encoding.AVRO), () => envelope.decodeEvent(data)];
    }
    const codec = schema === undefined ? codecs.codecOf(type) : record(schema).types[0]?.codec;
    if (codec == null) {
        throw new Error(`there is no codec for ${type ?? schema}`);
    }
    const value = codec.decode(data);
    if (Buffer.compare(codec.encode(value), data) !== 0) {
        throw new Error(`${type ?? schema} is written otherwise than it was`);
    }
    return [() => codec.encode(value), () => codec.decode(data)];
}

const found = {};
for (const [name, one] of Object.entries(cases)) {
    for (const [index, call] of callsOf(one).entries()) {
        measure(call, isQuick ? 0 : WARM_UP);
        found[`${name}, ${index === 0 ? "encode" : "decode"}`] = Math.max(measure(call, isQuick ? 0 : SLICE), 0.001);
    }
}
console.log(JSON.stringify(found));
