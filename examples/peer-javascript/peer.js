// A core or a plugin over MQTT: discovers, offers, requests, confirms, works, keeps alive and closes.
'use strict';
const {randomBytes, randomUUID} = require('node:crypto');
const mqtt = require('mqtt');
const {AVRO, canonicalText, decode, encode} = require('./wire.js');

const same = (mine, theirs) => canonicalText(mine) === canonicalText(theirs);
/** Return whether one set of schemas holds all that another does. */
function holds(outer, inner) {
  if (outer.support_undefined_schema) return inner.support_undefined_schema || inner.support_empty_schema || inner.schemas.length > 0;
  if (inner.support_undefined_schema || (inner.support_empty_schema && !outer.support_empty_schema)) return false;
  if (inner.schemas.length === 0 && !inner.support_empty_schema) return outer.schemas.length === 0 && !outer.support_empty_schema;
  return inner.schemas.every((one) => outer.schemas.some((other) => same(one, other)));
}
const inWordsOf = (set, others) => ({
  ...set,
  schemas: set.schemas.map((one) => others.flatMap((other) => other.schemas).find((other) => same(one, other)) ?? one),
});
const admits = (lists, who) => !(lists.allowlist && !lists.allowlist.includes(who)) && !lists.blocklist?.includes(who);
const isLevel = (text) => typeof text === 'string' && text !== '' && text !== '-' && Buffer.byteLength(text) <= 255 && !/[/+#\p{Cc}\p{Cs}\p{Cn}]/u.test(text);

class Orbiter {
  constructor(config, report) {
    const settings = config.settings;
    this.config = config;
    this.report = report;
    this.id = config.identifier;
    this.slots = new Map();
    this.remotes = new Map();
    /** What a handler that is told to be slow waits for. */
    this.released = new Promise((resolve) => (this.release = resolve));
    this.deadAfter = settings.consider_others_dead_after ?? 120;
    this.before = settings.send_keepalive_before_timelimit ?? 10;
    this.expireAfter = settings.pending_requests_expire_after ?? 60;
    this.closeTimeout = settings.graceful_close_timeout ?? 300;
    this.incarnation = randomBytes(8).toString('hex');
  }

  // Life

  async start(filters = {own: [], all: []}) {
    const {host, port} = this.config.broker;
    this.client = await mqtt.connectAsync(`mqtt://${host}:${port}`, {protocolVersion: 5, clean: true});
    this.client.on('message', (topic, data) => this.receive(topic, data));
    const own = ['keepalive', 'keepalive-request', ...filters.own].map((kind) => `orbitalis/${this.id}/+/${kind}`);
    await this.client.subscribeAsync([...own, ...filters.all], {qos: 1});
    this.timer = setInterval(() => this.tick(), 50);
  }

  async stop() {
    clearInterval(this.timer);
    for (const slot of this.slots.values()) if (slot.state === 'open' || slot.state === 'closing') this.sendGraceless(slot);
    this.slots.clear();
    await this.client?.endAsync();
  }

  /** Do what a role does with data; nothing, unless it has something. */
  onData(topic, event) {}

  /** Take the report that a slot has come to nothing. */
  expire(slot) {}

  /** Take the report that a connection has ended. */
  lost(slot) {}

  receive(topic, data) {
    try {
      const event = decode(data);
      const sender = event.value?.from_identifier ?? event.value?.core_identifier ?? event.value?.plugin_identifier;
      const level = topic.startsWith('orbitalis/') ? topic.split('/')[2] : sender;
      if (sender !== undefined && (sender !== level || !isLevel(sender) || sender === this.id)) return;
      this[`on${event.message_type}`]?.(topic, event, event.value, sender) ?? this.onData(topic, event);
    } catch (error) {
      console.error(`${topic}: ${error.message}`); // what cannot be read is dropped
    }
  }

  /** Publish an event; return its identifier. @param {0 | 1} qos */
  publish(topic, type, value, headers = {}, remote = undefined, qos = 1) {
    const all = {protocol_version: 1, incarnation: this.incarnation, readable_encodings: ['json', AVRO], ...headers};
    const asAvro = this.remotes.get(remote)?.readsAvro ?? false;
    const [identifier, data] = encode(type, value, all, `${this.id}-client`, asAvro);
    this.client.publish(topic, data, {qos});
    return identifier;
  }

  /** Note a sign of life. */
  hear(id, event) {
    const known = this.remotes.get(id) ?? {id, deadAfter: Infinity, sent: Date.now()};
    this.remotes.set(id, Object.assign(known, {heard: Date.now(), asked: false}));
    if (event.readable_encodings) known.readsAvro = event.readable_encodings.includes(AVRO);
    return known;
  }

  /** Put this orbiter into a topic that was told to everyone, and refuse one that is of somebody else. */
  told(topic, kind, remote) {
    const levels = topic.split('/');
    if (topic === '' || /[+#\p{Cc}]/u.test(topic) || Buffer.byteLength(topic) > 1200) throw new Error('no topic to publish to');
    if (levels[0] !== 'orbitalis') return topic;
    const inLayout = levels.length === 4 && levels[1] === remote && ['-', this.id].includes(levels[2]) && levels[3] === kind;
    if (!inLayout) throw new Error(`a topic of another: ${topic}`);
    return `orbitalis/${remote}/${this.id}/${kind}`;
  }

  // Keepalives

  tick() {
    const now = Date.now();
    for (const slot of [...this.slots.values()]) {
      const waits = slot.state === 'closing' ? this.closeTimeout : slot.state === 'open' ? Infinity : this.expireAfter;
      if (now - slot.since <= 1000 * waits) continue;
      if (slot.state === 'closing') this.closeGracelessly(slot);
      else this.expire(slot);
    }
    for (const remote of this.remotes.values()) {
      const shared = this.of(remote.id).filter((slot) => slot.state === 'open');
      if (shared.length === 0) continue;
      const due = remote.deadAfter > this.before ? remote.deadAfter - this.before : remote.deadAfter / 2;
      if (Number.isFinite(due) && due > 0 && now - remote.sent > 1000 * due) this.sendKeepalive(remote);
      const silent = (now - remote.heard) / 1000;
      if (silent > this.deadAfter) {
        this.report('dead', {remote: remote.id});
        shared.forEach((slot) => this.closeGracelessly(slot));
      } else if (silent > this.deadAfter - this.before && !remote.asked && this.deadAfter > this.before) {
        remote.asked = true;
        const topic = `orbitalis/${this.id}/${remote.id}/keepalive`;
        this.publish(remote.requestTopic, 'KeepaliveRequestMessage', {from_identifier: this.id, keepalive_topic: topic}, {}, remote.id, 0);
      }
    }
  }

  of(remote) {
    return [...this.slots.values()].filter((slot) => slot.remote === remote);
  }

  sendKeepalive(remote, topic = remote.keepaliveTopic, answers = undefined) {
    remote.sent = Date.now();
    const open = this.of(remote.id).flatMap((slot) => slot.connection ?? []);
    const headers = {open_connections: open, correlation_identifier: answers};
    this.publish(topic, 'KeepaliveMessage', {from_identifier: this.id}, headers, remote.id, 0);
  }

  onKeepaliveMessage(topic, event, value, sender) {
    if (this.remotes.has(sender)) this.hear(sender, event);
    return true;
  }

  onKeepaliveRequestMessage(topic, event, value, sender) {
    const known = this.remotes.has(sender);
    const own = `orbitalis/${sender}/${this.id}/keepalive`;
    if (!known && value.keepalive_topic !== own) return true;
    const answer = this.told(value.keepalive_topic, 'keepalive', sender);
    this.sendKeepalive(known ? this.hear(sender, event) : {id: sender}, answer, event.identifier);
    return true;
  }

  // Connections

  slotKey(remote, operation) {
    return `${remote}/${operation}`;
  }

  topicOf(slot, kind) {
    return `orbitalis/${this.id}/${slot.remote}/operations/${slot.operation}/${kind}/${slot.connection}`;
  }

  open(slot) {
    Object.assign(slot, {state: 'open', since: Date.now(), sent: 0, came: new Set()});
    this.report('connected', {remote: slot.remote, operation: slot.operation});
  }

  free(slot, data) {
    this.slots.delete(this.slotKey(slot.remote, slot.operation));
    const topics = [slot.dataTopic, slot.closeTopic, slot.ackTopic].filter(Boolean);
    if (topics.length > 0) this.client.unsubscribe(topics);
    if (slot.state === 'open' || slot.state === 'closing') {
      const told = data == null ? null : {hex: Buffer.from(data).toString('hex')};
      this.report('closed', {remote: slot.remote, operation: slot.operation, data: told});
      this.lost?.(slot);
    }
  }

  sendGraceless(slot, data = null) {
    const value = {from_identifier: this.id, operation_name: slot.operation, data};
    const headers = {connection_identifier: slot.connection};
    this.publish(slot.remoteClose, 'GracelessCloneConnectionMessage', value, headers, slot.remote);
  }

  closeGracelessly(slot, data = null) {
    this.sendGraceless(slot, data);
    this.free(slot);
  }

  async closeGracefully(slot, data = null) {
    slot.ackTopic = this.topicOf(slot, 'close-ack');
    Object.assign(slot, {state: 'closing', since: Date.now()});
    await this.client.subscribeAsync(slot.ackTopic, {qos: 1});
    const value = {from_identifier: this.id, operation_name: slot.operation, ack_topic: slot.ackTopic, data};
    this.publish(slot.remoteClose, 'GracefulCloseConnectionMessage', value, {connection_identifier: slot.connection}, slot.remote);
  }

  /** Return the slot that a close is about. */
  closing(topic, event, sender) {
    const slot = this.of(sender).find((one) => one.closeTopic === topic);
    return slot && [undefined, null, slot.connection].includes(event.connection_identifier) ? slot : undefined;
  }

  onGracelessCloneConnectionMessage(topic, event, value, sender) {
    const slot = this.closing(topic, event, sender);
    if (slot) this.free(slot, value.data);
    return true;
  }

  onGracefulCloseConnectionMessage(topic, event, value, sender) {
    const slot = this.closing(topic, event, sender);
    if (!slot || slot.ending) return true;
    slot.ending = true;
    const levels = value.ack_topic.split('/');
    if (levels[0] === 'orbitalis' && levels[1] !== sender) throw new Error('a topic of another');
    void Promise.resolve(slot.work).then(() => {
      if (this.slots.get(this.slotKey(slot.remote, slot.operation)) !== slot) return;
      const headers = {correlation_identifier: event.identifier, connection_identifier: slot.connection};
      this.publish(value.ack_topic, 'CloseConnectionAckMessage', {from_identifier: this.id, operation_name: slot.operation}, headers, sender);
      this.free(slot, value.data);
    });
    return true;
  }

  onCloseConnectionAckMessage(topic, event, value, sender) {
    const slot = this.of(sender).find((one) => one.ackTopic === topic && one.state === 'closing');
    if (slot && event.connection_identifier === slot.connection) this.free(slot);
    return true;
  }

  /** Return the slot whose data an event is, and whether it has not come before. */
  dataOf(topic, event) {
    const slot = [...this.slots.values()].find((one) => one.dataTopic === topic);
    if (!slot || ![undefined, null, slot.connection].includes(event.connection_identifier)) return undefined;
    if (event.incarnation !== slot.incarnation) return undefined;
    const number = event.sequence_number;
    if (number != null) {
      if (slot.came?.has(Number(number)) || Number(number) <= Math.max(0, ...(slot.came ?? [])) - 1024) return undefined;
      slot.came?.add(Number(number));
    }
    this.hear(slot.remote, event);
    return slot;
  }

  sendData(slot, topic, message, headers = {}) {
    slot.sent += 1;
    const all = {connection_identifier: slot.connection, sequence_number: slot.sent, ...headers};
    return this.publish(topic, message === null ? null : message.type, message, all, slot.remote);
  }
}

module.exports = {Orbiter, admits, holds, inWordsOf, isLevel, randomUUID};
