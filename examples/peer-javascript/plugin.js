// The plugin: offers what is queried and free, confirms what is requested, and works.
'use strict';
const {Orbiter, admits, holds, inWordsOf, isLevel, randomUUID} = require('./peer.js');

class Plugin extends Orbiter {
  async start() {
    await super.start({own: ['discover', 'reply'], all: ['$handshake.discover']});
    this.announce();
  }

  get operations() {
    return this.config.operations;
  }

  announce() {
    const value = {plugin_identifier: this.id, operation_names: Object.keys(this.operations), discover_topic: `orbitalis/${this.id}/-/discover`};
    this.publish('$handshake.announce', 'AnnounceMessage', value, {}, undefined, 0);
  }

  taken(operation) {
    return [...this.slots.values()].filter((slot) => slot.operation === operation).length;
  }

  fits(operation, query) {
    return query.inputs.some((one) => holds(operation.input, one)) && query.outputs.some((one) => holds(one, operation.output));
  }

  onDiscoverMessage(topic, event, value, core) {
    const offerTopic = this.told(value.offer_topic, 'offer', core);
    const keepaliveTopic = this.told(value.core_keepalive_topic, 'keepalive', core);
    const requestTopic = this.told(value.core_keepalive_request_topic, 'keepalive-request', core);
    const isDirected = topic !== '$handshake.discover';
    const names = Object.keys(value.queries);
    if (names.length > 1000) return true;
    const isNew = this.remotes.get(core)?.incarnation !== event.incarnation;
    const offered = [];
    for (const name of names) {
      const [operation, query] = [this.operations[name], value.queries[name]];
      const slot = this.slots.get(this.slotKey(core, name));
      if (!operation || !admits(operation, core) || !admits(query, this.id) || !this.fits(operation, query)) continue;
      if (slot ? slot.state !== 'offered' || (isDirected && !isNew) : operation.maximum != null && this.taken(name) >= operation.maximum) continue;
      offered.push({name, input: inWordsOf(operation.input, query.inputs), output: inWordsOf(operation.output, query.outputs)});
    }
    const waits = this.of(core).some((slot) => slot.state === 'offered');
    if (offered.length === 0 && !(isDirected && !waits)) return true;
    const remote = Object.assign(this.hear(core, event), {keepaliveTopic, requestTopic, deadAfter: value.considered_dead_after, incarnation: event.incarnation});
    if (offered.length === 0) this.sendKeepalive(remote, keepaliveTopic, event.identifier);
    else this.offer(core, offerTopic, offered, event);
    return true;
  }

  offer(core, topic, offered, event) {
    const mine = (kind) => `orbitalis/${this.id}/${core}/${kind}`;
    const value = {
      plugin_identifier: this.id,
      offered_operations: offered,
      reply_topic: mine('reply'),
      considered_dead_after: this.deadAfter,
      plugin_keepalive_topic: mine('keepalive'),
      plugin_keepalive_request_topic: mine('keepalive-request'),
      exact_schemas: {},
    };
    const identifier = this.publish(topic, 'OfferMessage', value, {correlation_identifier: event.identifier}, core);
    for (const {name} of offered) {
      const key = this.slotKey(core, name);
      const offers = [...(this.slots.get(key)?.offers ?? []), identifier];
      this.slots.set(key, {remote: core, operation: name, state: 'offered', since: Date.now(), offers, incarnation: event.incarnation});
    }
  }

  expire(slot) {
    if (slot.state === 'preparing') this.decline(slot.request, slot);
    this.free(slot);
  }

  decline(request, {operation, remote}) {
    const headers = {correlation_identifier: request.identifier, connection_identifier: request.connection_identifier};
    const topic = this.told(request.value.response_topic, 'response', remote);
    this.publish(topic, 'OperationNoLongerAvailableMessage', {plugin_identifier: this.id, operation_name: operation}, headers, remote);
  }

  onRequestOperationMessage(topic, event, value, core) {
    const name = value.operation_name;
    const slot = this.slots.get(this.slotKey(core, name));
    const responseTopic = this.told(value.response_topic, 'response', core);
    this.hear(core, event);
    if (slot?.connection && slot.connection === event.connection_identifier) {
      if (slot.state === 'open') this.confirm(slot, event, responseTopic);
      return true;
    }
    if (slot?.state !== 'offered' || !slot.offers.includes(event.correlation_identifier) || !admits(this.operations[name], core)) {
      this.decline(event, {operation: name, remote: core});
      return true;
    }
    if (!isLevel(event.connection_identifier ?? '')) throw new Error('no identifier of a connection');
    Object.assign(slot, {state: 'preparing', since: Date.now(), request: event, connection: event.connection_identifier ?? randomUUID()});
    slot.remoteClose = value.core_side_close_operation_connection_topic;
    slot.outputTopic = value.output_topic;
    slot.closeTopic = this.topicOf(slot, 'close');
    slot.dataTopic = this.hasInput(name) ? this.topicOf(slot, 'input') : null;
    void this.prepare(slot, event, responseTopic);
    return true;
  }

  hasInput(name) {
    const {schemas, support_empty_schema: empty, support_undefined_schema: any} = this.operations[name].input;
    return schemas.length > 0 || empty || any;
  }

  async prepare(slot, event, responseTopic) {
    try {
      await this.client.subscribeAsync([slot.closeTopic, slot.dataTopic].filter(Boolean), {qos: 1});
      await this.setUp(slot, event.value.setup_data);
    } catch {
      if (slot.state === 'preparing') this.expire(slot);
      return;
    }
    if (slot.state !== 'preparing' || this.slots.get(this.slotKey(slot.remote, slot.operation)) !== slot) return;
    this.open(slot);
    this.confirm(slot, event, responseTopic);
  }

  async setUp(slot, data) {
    this.report('set up', {remote: slot.remote, operation: slot.operation, data: data && {hex: data.toString('hex')}});
    if (data?.toString() === 'FAIL') throw new Error('told to fail');
    if (data?.toString() === 'SLOW') await this.released;
  }

  confirm(slot, event, responseTopic) {
    const value = {
      plugin_identifier: this.id,
      operation_name: slot.operation,
      operation_input_topic: slot.dataTopic,
      plugin_side_close_operation_connection_topic: slot.closeTopic,
    };
    const headers = {correlation_identifier: event.identifier, connection_identifier: slot.connection};
    this.publish(responseTopic, 'ConfirmConnectionMessage', value, headers, slot.remote);
  }

  onRejectOperationMessage(topic, event, value, core) {
    const slot = this.slots.get(this.slotKey(core, value.operation_name));
    if (!slot) return true;
    this.hear(core, event);
    const takesBack = event.connection_identifier != null;
    if (takesBack ? slot.connection === event.connection_identifier : slot.offers.includes(event.correlation_identifier)) this.free(slot);
    return true;
  }

  onData(topic, event) {
    const slot = this.dataOf(topic, event);
    if (!slot || slot.state === 'preparing' || slot.ending) return;
    const operation = this.operations[slot.operation];
    const isEmpty = event.message_type === null;
    const accepts = operation.input.support_undefined_schema || (isEmpty ? operation.input.support_empty_schema : operation.input.schemas.some((one) => JSON.parse(one).name === event.message_type));
    if (!accepts) return;
    slot.work = (slot.work ?? Promise.resolve()).then(() => this.work(slot, operation, event));
  }

  async work(slot, operation, event) {
    this.report('input', {remote: slot.remote, operation: slot.operation, ...this.told_of(event)});
    if (operation.does !== 'lowercase' || typeof event.value?.value !== 'string' || slot.outputTopic === null) return;
    const text = event.value.value;
    const answers = event.answer_requested ? {correlation_identifier: event.identifier} : {};
    if (text.startsWith('SLOW')) await this.released;
    if (text.startsWith('FAIL')) {
      const value = {type: 'OperationErrorMessage', error_type: 'Error', error_message: text.slice(5, 4000), reason: null};
      if (event.answer_requested) this.sendData(slot, slot.outputTopic, value, answers);
    } else if (text.startsWith('NONE')) {
      if (event.answer_requested) this.sendData(slot, slot.outputTopic, null, answers);
    } else {
      this.sendData(slot, slot.outputTopic, {type: 'StringMessage', value: text.toLowerCase()}, answers);
    }
    if (text.startsWith('TWICE')) this.sendData(slot, slot.outputTopic, {type: 'StringMessage', value: 'again'});
  }

  told_of(event) {
    if (event.message_type === null) return {type: null};
    const value = event.value?.value;
    return {type: event.message_type, value: Buffer.isBuffer(value) ? {hex: value.toString('hex')} : value};
  }
}

module.exports = {Plugin};
