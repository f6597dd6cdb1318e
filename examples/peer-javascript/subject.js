// The peer as a subject of the conformance tests (docs/reference/conformance.md).
'use strict';
const readline = require('node:readline');
const {Core} = require('./core.js');
const {Plugin} = require('./plugin.js');

const LACKS = ['cancels', 'deadlines', 'introspection', 'late_offers', 'limits', 'older_peers', 'resolution', 'wills'];
const write = (content) => process.stdout.write(`${JSON.stringify(content)}\n`);
const report = (event, content) => write({event, ...content});
const bytes = (data) => (data == null ? null : Buffer.from(data.hex, 'hex'));
let orbiter;

function message(content) {
  if (content === null) return null;
  const value = content.value?.hex === undefined ? content.value : bytes(content.value);
  return {type: content.type, value};
}

const actions = {
  async start({config}) {
    orbiter = new (config.role === 'core' ? Core : Plugin)(config, report);
    await orbiter.start();
  },
  stop: () => orbiter.stop(),
  async reset() {
    orbiter?.release();
    await orbiter?.stop();
    orbiter = undefined;
  },
  execute: ({operation, message: content, plugin}) => orbiter.execute(operation, message(content), plugin),
  async request({operation, message: content, plugin, timeout = 10}) {
    const event = await orbiter.call(operation, message(content), plugin, timeout);
    return event.message_type === null ? {type: null} : {type: event.message_type, value: event.value.value};
  },
  send({operation, message: content}) {
    for (const slot of orbiter.slots.values()) {
      if (slot.operation === operation && slot.state === 'open') orbiter.sendData(slot, slot.outputTopic, message(content));
    }
  },
  async close({remote, operation, how, data}) {
    const slot = orbiter.slots.get(orbiter.slotKey(remote, operation));
    if (slot?.state !== 'open') throw new Error('there is no connection');
    await (how === 'graceful' ? orbiter.closeGracefully(slot, bytes(data)) : orbiter.closeGracelessly(slot, bytes(data)));
  },
  set_policy({operation, ...policy}) {
    Object.assign(orbiter.operations[operation], {maximum: null, allowlist: null, blocklist: null}, policy);
    for (const slot of orbiter.slots.values()) {
      const isAllowed = !orbiter.operations[operation].blocklist?.includes(slot.remote);
      if (slot.operation === operation && slot.state === 'open' && !isAllowed) void orbiter.closeGracefully(slot);
    }
  },
  add_operation({name, operation}) {
    orbiter.operations[name] = operation;
    clearTimeout(orbiter.news);
    orbiter.news = setTimeout(() => orbiter.announce(), 100);
  },
  release: () => orbiter.release(),
  state() {
    const open = [...orbiter.slots.values()].filter((slot) => slot.state === 'open');
    return {connections: open.map((slot) => [slot.remote, slot.operation]).sort(), compliant: orbiter.compliant};
  },
};

report('ready', {subject: 'peer in JavaScript', lacks: LACKS, reusable: true});
readline.createInterface({input: process.stdin}).on('line', async (line) => {
  const {do: action, id, ...content} = JSON.parse(line);
  try {
    if (!actions[action]) throw new Error(`cannot ${action}`);
    report('done', {id, result: (await actions[action](content)) ?? null});
  } catch (error) {
    report('failed', {id, error: `${error.name}: ${error.message}`});
  }
}).on('close', () => process.exit(0));
