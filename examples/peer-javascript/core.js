// The core: discovers what it needs, requests what is offered, and sends inputs.
'use strict';
const {Orbiter, admits, holds, randomUUID} = require('./peer.js');

class Core extends Orbiter {
  constructor(config, report) {
    super(config, report);
    this.interval = config.settings.discovering_interval ?? 2;
    this.slowInterval = config.settings.discovering_interval_when_compliant ?? 10;
    this.compliant = undefined;
    this.calls = new Map();
    this.asked = 0;
  }

  async start() {
    await super.start({own: ['offer', 'response'], all: ['$handshake.announce']});
    this.compliant = this.isCompliant();
    this.discover();
  }

  get needs() {
    return this.config.requirements;
  }

  held(name, isOpen = (slot) => true) {
    const mandatory = this.needs[name].mandatory ?? [];
    const slots = [...this.slots.values()].filter((slot) => slot.operation === name && isOpen(slot));
    return {others: slots.filter((slot) => !mandatory.includes(slot.remote)).length, has: new Set(slots.map((slot) => slot.remote))};
  }

  isCompliant() {
    return Object.entries(this.needs).every(([name, need]) => {
      const {others, has} = this.held(name, (slot) => slot.state === 'open');
      return others >= (need.minimum ?? 0) && (need.mandatory ?? []).every((one) => has.has(one));
    });
  }

  judge() {
    const compliant = this.isCompliant();
    if (compliant === this.compliant) return;
    this.compliant = compliant;
    this.report(compliant ? 'compliant' : 'not compliant', {});
  }

  /** Return the queries for what is still wanted, of everybody or of one plugin. */
  queries(plugin) {
    const found = {};
    for (const [name, need] of Object.entries(this.needs)) {
      const {others, has} = this.held(name);
      const missing = (need.mandatory ?? []).filter((one) => !has.has(one));
      const room = need.maximum == null || others < need.maximum;
      if (!room && missing.length === 0) continue;
      if (plugin !== undefined && !missing.includes(plugin) && !(room && admits(need, plugin) && !has.has(plugin))) continue;
      const [allowlist, blocklist] = room ? [need.allowlist ?? null, need.blocklist ?? null] : [missing, null];
      found[name] = {operation_name: name, inputs: need.inputs, outputs: need.outputs, allowlist, blocklist};
    }
    return found;
  }

  discover(topic = '$handshake.discover', headers = {}, plugin = undefined) {
    const queries = Object.fromEntries(Object.entries(this.queries(plugin)).slice(0, 1000));
    if (Object.keys(queries).length === 0) return;
    const mine = (kind) => `orbitalis/${this.id}/-/${kind}`;
    const value = {
      core_identifier: this.id,
      offer_topic: mine('offer'),
      core_keepalive_topic: mine('keepalive'),
      core_keepalive_request_topic: mine('keepalive-request'),
      considered_dead_after: this.deadAfter,
      queries,
      exact_schemas: {},
    };
    if (plugin === undefined) this.asked = Date.now();
    this.publish(topic, 'DiscoverMessage', value, {late_offers: false, ...headers}, undefined, plugin === undefined ? 0 : 1);
  }

  tick() {
    super.tick();
    if (Date.now() - this.asked > 1000 * (this.compliant ? this.slowInterval : this.interval)) this.discover();
  }

  onAnnounceMessage(topic, event, value, plugin) {
    const wanted = this.queries(plugin);
    if (!value.operation_names.some((name) => wanted[name])) return true;
    this.discover(this.told(value.discover_topic, 'discover', plugin), {correlation_identifier: event.identifier}, plugin);
    return true;
  }

  onOfferMessage(topic, event, value, plugin) {
    if (value.offered_operations.length > 1000) return true;
    const replyTopic = this.told(value.reply_topic, 'reply', plugin);
    const remote = this.hear(plugin, event);
    remote.keepaliveTopic = this.told(value.plugin_keepalive_topic, 'keepalive', plugin);
    remote.requestTopic = this.told(value.plugin_keepalive_request_topic, 'keepalive-request', plugin);
    remote.deadAfter = value.considered_dead_after;
    const seen = new Set();
    for (const offered of value.offered_operations) {
      const known = this.slots.get(this.slotKey(plugin, offered.name));
      if (known?.state === 'requested' && !seen.has(offered.name)) this.request(known, replyTopic, event);
      else if (!known && !seen.has(offered.name) && this.wants(plugin, offered)) void this.prepare(plugin, offered, replyTopic, event);
      else if (!known) this.reject(plugin, offered.name, replyTopic, event);
      seen.add(offered.name);
    }
    return true;
  }

  wants(plugin, {name, input, output}) {
    const need = this.needs[name];
    if (!need || !(name in this.queries(plugin))) return false;
    return need.inputs.some((one) => holds(input, one)) && need.outputs.some((one) => holds(one, output));
  }

  reject(plugin, name, topic, event) {
    const value = {core_identifier: this.id, operation_name: name, description: 'it is not needed'};
    this.publish(topic, 'RejectOperationMessage', value, {correlation_identifier: event.identifier}, plugin);
  }

  async prepare(plugin, offered, replyTopic, event) {
    const slot = {remote: plugin, operation: offered.name, state: 'requested', since: Date.now(), connection: randomUUID()};
    this.slots.set(this.slotKey(plugin, offered.name), slot);
    const {schemas, support_empty_schema: empty, support_undefined_schema: any} = offered.output;
    slot.incarnation = event.incarnation;
    slot.early = [];
    slot.closeTopic = this.topicOf(slot, 'close');
    slot.dataTopic = schemas.length > 0 || empty || any ? this.topicOf(slot, 'output') : null;
    await this.client.subscribeAsync([slot.closeTopic, slot.dataTopic].filter(Boolean), {qos: 1});
    this.request(slot, replyTopic, event);
  }

  request(slot, replyTopic, event) {
    const setup = this.needs[slot.operation].setup_data;
    const value = {
      core_identifier: this.id,
      operation_name: slot.operation,
      response_topic: `orbitalis/${this.id}/${slot.remote}/response`,
      output_topic: slot.dataTopic,
      core_side_close_operation_connection_topic: slot.closeTopic,
      setup_data: setup ? Buffer.from(setup.hex, 'hex') : null,
      input_schemas: [],
    };
    const headers = {correlation_identifier: event.identifier, connection_identifier: slot.connection};
    this.publish(replyTopic, 'RequestOperationMessage', value, headers, slot.remote);
  }

  onConfirmConnectionMessage(topic, event, value, plugin) {
    const slot = this.slots.get(this.slotKey(plugin, value.operation_name));
    this.hear(plugin, event);
    const isMine = slot && [undefined, null, slot.connection].includes(event.connection_identifier);
    if (isMine && slot.state === 'requested') {
      Object.assign(slot, {inputTopic: value.operation_input_topic, remoteClose: value.plugin_side_close_operation_connection_topic});
      this.open(slot);
      slot.early.forEach((one) => this.sink(slot, one));
      this.judge();
    } else if (!isMine) {
      const close = {from_identifier: this.id, operation_name: value.operation_name, data: null};
      const headers = {correlation_identifier: event.identifier, connection_identifier: event.connection_identifier};
      this.publish(value.plugin_side_close_operation_connection_topic, 'GracelessCloneConnectionMessage', close, headers, plugin);
    }
    return true;
  }

  onOperationNoLongerAvailableMessage(topic, event, value, plugin) {
    const slot = this.slots.get(this.slotKey(plugin, value.operation_name));
    if (slot?.state === 'requested' && event.connection_identifier === slot.connection) this.free(slot);
    return true;
  }

  expire(slot) {
    this.free(slot);
  }

  lost(slot) {
    for (const [identifier, call] of this.calls) {
      if (call.slot !== slot) continue;
      this.calls.delete(identifier);
      call.reject(new Error('the connection has ended'));
    }
    this.judge();
    if (!this.compliant && Date.now() - this.asked > 1000 * this.interval) this.discover();
  }

  onData(topic, event) {
    const slot = this.dataOf(topic, event);
    if (!slot) return;
    if (slot.state === 'requested') slot.early.push(event);
    else this.sink(slot, event);
  }

  sink(slot, event) {
    if (event.correlation_identifier != null) {
      const call = this.calls.get(event.correlation_identifier);
      if (call?.slot !== slot) return;
      this.calls.delete(event.correlation_identifier);
      if (event.message_type === 'OperationErrorMessage') call.reject(new Error(event.value.error_message));
      else call.resolve(event);
    } else if (event.message_type !== 'OperationErrorMessage') {
      const value = event.value?.value;
      const told = Buffer.isBuffer(value) ? {hex: value.toString('hex')} : value;
      this.report('output', {remote: slot.remote, operation: slot.operation, type: event.message_type, value: told});
    }
  }

  execute(name, message, plugin) {
    const slots = [...this.slots.values()].filter((slot) => slot.operation === name && slot.state === 'open' && (plugin ?? slot.remote) === slot.remote);
    if (slots.length === 0) throw new Error(`there is no connection for ${name}`);
    slots.forEach((slot) => this.sendData(slot, slot.inputTopic, message));
    return slots.map((slot) => slot.remote);
  }

  call(name, message, plugin, timeout) {
    const slot = [...this.slots.values()].find((one) => one.operation === name && one.state === 'open' && one.dataTopic && (plugin ?? one.remote) === one.remote);
    if (!slot) throw new Error(`there is no connection for ${name}`);
    const identifier = this.sendData(slot, slot.inputTopic, message, {answer_requested: true, answer_within: timeout});
    return new Promise((resolve, reject) => {
      this.calls.set(identifier, {slot, resolve, reject});
      setTimeout(() => this.calls.delete(identifier) && reject(new Error('there was no answer in time')), 1000 * timeout);
    });
  }
}

module.exports = {Core};
