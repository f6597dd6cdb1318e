/** The TypeScript implementation as a subject of the conformance tests: reads what to do, and reports, in JSON lines. */

import { createInterface } from "node:readline";

import {
    connectMqtt,
    Core,
    PayloadSet,
    Plugin,
    protocolType,
    TypedValue,
    typeOfSchema,
} from "../../../typescript/dist/typescript/src/index.js";

const SETTINGS_OF_CORES = new Set(["lateOffers", "discoveringInterval", "discoveringIntervalWhenCompliant"]);

function report(event, content = {}) {
    const line = JSON.stringify({ event, ...content }, (_, value) =>
        typeof value === "bigint" ? `bigint:${value.toString()}` : value,
    );
    // JSON has whole numbers of any length.
    process.stdout.write(`${line.replace(/"bigint:(-?\d+)"/g, "$1")}\n`);
}

// Messages

function camel(name) {
    return name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
}

function inCamelCase(content) {
    return Object.fromEntries(Object.entries(content).map(([name, value]) => [camel(name), value]));
}

function snake(name) {
    return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function setOf(content) {
    const made = new PayloadSet(
        content.schemas.map((one) => typeOfSchema(one)),
        content.support_empty_schema ?? false,
        content.support_undefined_schema ?? false,
    );
    return content.exact ? made.exactly() : made;
}

/** The value that a message, given as JSON, has; `undefined` is an empty event. */
function valueOf(content) {
    if (content === null || content === undefined) {
        return undefined;
    }
    if ("schema" in content) {
        const type = typeOfSchema(content.schema);
        const kinds = Object.fromEntries(JSON.parse(content.schema).fields.map((one) => [one.name, one.type]));
        const fields = Object.entries(content.fields).map(([name, value]) => [
            camel(name),
            kinds[name] === "long" ? bigintOf(value) : value,
        ]);
        return new TypedValue(type, Object.fromEntries(fields));
    }
    const type = protocolType(content.type);
    if (type === undefined) {
        throw new TypeError(`the protocol has no message '${content.type}' of values`);
    }
    return new TypedValue(type, plainOf(content.type, content.value));
}

function plainOf(type, value) {
    if (typeof value === "object" && value !== null) {
        return Uint8Array.from(Buffer.from(value.hex, "hex"));
    }
    if (type.startsWith("Float")) {
        return typeof value === "string" ? { inf: Infinity, "-inf": -Infinity, nan: NaN }[value] : value;
    }
    return type === "Int64Message" ? bigintOf(value) : value;
}

function bigintOf(value) {
    return BigInt(typeof value === "string" ? value.replace("bigint:", "") : value);
}

/** A value as JSON has it. */
function plain(value) {
    if (value instanceof Uint8Array) {
        return { hex: Buffer.from(value).toString("hex") };
    }
    if (value instanceof Date) {
        return value.toISOString();
    }
    if (typeof value === "number" && !Number.isFinite(value)) {
        return { Infinity: "inf", "-Infinity": "-inf", NaN: "nan" }[String(value)];
    }
    return value;
}

function contentOf(name, value) {
    if (name === null || name === undefined) {
        return { type: null };
    }
    if (protocolType(name) !== undefined) {
        return { type: name, value: plain(value) };
    }
    if (value instanceof Uint8Array) {
        return { type: name, payload: plain(value) };
    }
    const fields = Object.entries(value).map(([key, one]) => [snake(key), plain(one)]);
    return { type: name, fields: Object.fromEntries(fields) };
}

/** What a request gave: its type follows from the value. */
function answerOf(value) {
    const names = { string: "StringMessage", bigint: "Int64Message", number: "Float64Message" };
    const name = value instanceof Uint8Array ? "BytesMessage" : names[typeof value];
    return value === undefined ? { type: null } : contentOf(name ?? "record", value);
}

// What the tester asks for

class Session {
    /** @type {Core | Plugin | null} */
    running = null;
    released = withResolvers();
    /** By operation: what ends the sink of its outputs. @type {Map<string, () => void>} */
    sinkEnds = new Map();

    /** The orbiter that was started last. */
    get orbiter() {
        if (this.running === null) {
            throw new Error("nothing was started");
        }
        return this.running;
    }

    get core() {
        return /** @type {Core} */ (this.orbiter);
    }

    get plugin() {
        return /** @type {Plugin} */ (this.orbiter);
    }

    hooks() {
        return {
            log: { warn: (text) => console.error(text), error: (text) => console.error(text) },
            onConnected: (connection) =>
                report("connected", {
                    remote: connection.remoteIdentifier,
                    operation: connection.operationName,
                    connection: connection.connectionIdentifier,
                }),
            onClosed: (connection, _, data) =>
                report("closed", {
                    remote: connection.remoteIdentifier,
                    operation: connection.operationName,
                    data: data === null ? null : plain(data),
                }),
            onRemoteLost: (remote) => report("dead", { remote }),
        };
    }

    async start({ config }) {
        const { host, port } = config.broker;
        const all = Object.entries(inCamelCase(config.settings));
        const settings = Object.fromEntries(
            all.filter(([name]) => config.role === "core" || !SETTINGS_OF_CORES.has(name)),
        );
        const given = {
            identifier: config.identifier,
            bus: connectMqtt(`mqtt://${host}:${port}`),
            ...settings,
            limits: inCamelCase(config.settings.limits ?? {}),
            ...this.hooks(),
        };
        if (config.role === "plugin") {
            this.running = new Plugin(given);
            for (const [name, one] of Object.entries(config.operations)) {
                this.addOperation(name, one);
            }
        } else {
            this.running = new Core({
                ...given,
                onComplianceChanged: (isCompliant) => report(isCompliant ? "compliant" : "not compliant"),
            });
            for (const [name, one] of Object.entries(config.requirements)) {
                this.addRequirement(name, one);
            }
        }
        await this.orbiter.start();
    }

    addOperation(name, content) {
        const input = setOf(content.input);
        const operation = { name, input, output: setOf(content.output) };
        const does = content.does ?? "lowercase";
        const takesSomething = input.types.length > 0 || input.hasEmpty || input.hasAnything;
        const handler = async (request) => {
            report("input", { remote: request.core, operation: name, ...contentOf(request.typeName, request.value) });
            return this.handle(does, request);
        };
        this.plugin.operation(operation, takesSomething ? handler : null, {
            ...policyOf(content),
            setUp: async (core, setupData) => {
                report("set up", { remote: core, operation: name, data: setupData === null ? null : plain(setupData) });
                const text = setupData === null ? "" : Buffer.from(setupData).toString();
                if (text === "FAIL") {
                    throw new Error("told to fail");
                }
                if (text === "SLOW") {
                    await this.released.promise;
                }
            },
        });
    }

    async handle(does, request) {
        const text = request.value;
        if (does !== "lowercase" || typeof text !== "string") {
            return undefined;
        }
        if (text.startsWith("SLOW")) {
            await this.released.promise;
        }
        if (text.startsWith("FAIL")) {
            throw new Error(text.slice(5) || "told to fail");
        }
        if (text.startsWith("NONE")) {
            return undefined;
        }
        await request.send(text.toLowerCase());
        if (text.startsWith("TWICE")) {
            await request.send("again");
        }
        return undefined;
    }

    addRequirement(name, content) {
        const [input, ...inputs] = content.inputs.map(setOf);
        const [output, ...outputs] = content.outputs.map(setOf);
        const none = new PayloadSet([]);
        const setup = content.setup_data ?? null;
        this.sinkEnds.get(name)?.();
        this.sinkEnds.set(
            name,
            this.core.sink(name, (one) => {
                report("output", { remote: one.plugin, operation: name, ...contentOf(one.typeName, one.value) });
            }),
        );
        this.core.require(
            { name, input: input ?? none, output: output ?? none },
            {
                minimum: content.minimum ?? 0,
                ...optional("maximum", content.maximum),
                mandatory: content.mandatory ?? [],
                ...optional("allowlist", content.allowlist),
                ...optional("blocklist", content.blocklist),
                ...(setup === null ? {} : { setupData: Uint8Array.from(Buffer.from(setup.hex, "hex")) }),
                alternatives: { inputs, outputs },
            },
        );
    }

    async stop() {
        await this.orbiter.stop();
    }

    async reset() {
        if (this.running !== null) {
            this.released.resolve();
            await this.running.stop();
            this.running = null;
            this.sinkEnds = new Map();
            this.released = withResolvers();
        }
    }

    async execute({ operation, message, plugin = null }) {
        const mode = plugin === null ? /** @type {const} */ ({ all: true }) : { plugin };
        return this.core.execute(operation, valueOf(message), mode);
    }

    async request({ operation, message, plugin = null, timeout = 10 }, signal) {
        const options = { timeout, signal, ...optional("plugin", plugin) };
        return answerOf(await this.core.request(operation, valueOf(message), options));
    }

    async send({ operation, message, core = null }) {
        await this.plugin.send(operation, valueOf(message), optional("core", core));
    }

    async close({ remote, operation, how, data }) {
        this.orbiter.close(remote, operation, {
            isGraceful: how === "graceful",
            ...(data ? { data: Uint8Array.from(Buffer.from(data.hex, "hex")) } : {}),
        });
    }

    async leave({ timeout = 5 }) {
        return this.orbiter.leave(timeout);
    }

    async set_policy({ operation, ...policy }) {
        this.plugin.setPolicy(operation, policyOf(policy));
    }

    async add_operation({ name, operation }) {
        this.addOperation(name, operation);
    }

    async set_requirement({ name, requirement }) {
        this.addRequirement(name, requirement);
    }

    async release() {
        this.released.resolve();
    }

    async state() {
        const connections = this.orbiter
            .connections()
            .map((one) => [one.remoteIdentifier, one.operationName])
            .sort();
        return this.running instanceof Core ? { connections, compliant: this.running.isCompliant } : { connections };
    }
}

function policyOf(content) {
    return {
        ...optional("maximum", content.maximum),
        ...optional("allowlist", content.allowlist),
        ...optional("blocklist", content.blocklist),
    };
}

function optional(name, value) {
    return value === null || value === undefined ? {} : { [name]: value };
}

function withResolvers() {
    /** @type {() => void} */
    let resolve = () => undefined;
    /** @type {Promise<void>} */
    const promise = new Promise((given) => (resolve = given));
    return { promise, resolve };
}

const session = new Session();
const running = new Map();

async function attend(number, action, content) {
    const abort = new AbortController();
    running.set(number, abort);
    try {
        if (typeof session[action] !== "function") {
            throw new TypeError(`there is no action '${action}'`);
        }
        const result = await session[action](content, abort.signal);
        report("done", { id: number, result: result ?? null });
    } catch (error) {
        report("failed", {
            id: number,
            error: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
        });
    } finally {
        running.delete(number);
    }
}

report("ready", { subject: "orbitalis for TypeScript", lacks: [], reusable: true });
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    // Numbers of that many digits are none that JavaScript holds.
    const exact = line.replace(/([:,[]\s*)(-?\d{16,})(?=\s*[,}\]])/g, '$1"bigint:$2"');
    const { do: action, id, ...content } = JSON.parse(exact);
    if (action === "cancel") {
        running.get(content.number)?.abort(new DOMException("it was cancelled", "AbortError"));
        report("done", { id, result: null });
    } else {
        void attend(id, action, content);
    }
}
process.exit(0);
