// Events on the wire: envelopes, payloads, canonical forms and fingerprints, from `asyncapi.yaml` and `schemas/`.
'use strict';
const {randomUUID} = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const avsc = require('avsc');

const FOLDER = process.env.ORBITALIS_SCHEMAS ?? path.join(__dirname, '..', '..', 'schemas');
const schemas = {};
for (const file of fs.readdirSync(FOLDER)) {
  const schema = JSON.parse(fs.readFileSync(path.join(FOLDER, file), 'utf8'));
  schemas[schema.name] = schema;
}

// The name of a type means the file of that name, so types are made in the order in which they use each other.
/** @type {Record<string, import('avsc').Type>} */
const registry = {};
function namesIn(schema) {
  if (typeof schema === 'string') return [schema];
  if (Array.isArray(schema)) return schema.flatMap(namesIn);
  if (schema.type === 'record') return schema.fields.flatMap((field) => namesIn(field.type));
  return namesIn(schema.items ?? schema.values ?? schema.type);
}
function load(name) {
  if (registry[name]) return;
  for (const used of namesIn(schemas[name])) if (schemas[used] && used !== name) load(used);
  avsc.Type.forSchema(schemas[name], {registry});
}
Object.keys(schemas).forEach(load);

// Avro's parsing canonical form, which keeps logical types.
const LOGICAL = {long: ['timestamp-millis', 'timestamp-micros'], double: ['dataclasses-avroschema-timedelta'], string: ['uuid']};
function canonical(schema, seen = new Set()) {
  if (typeof schema === 'string') {
    return schemas[schema] && !seen.has(schema) ? canonical(schemas[schema], seen) : JSON.stringify(schema);
  }
  if (Array.isArray(schema)) return `[${schema.map((one) => canonical(one, seen)).join(',')}]`;
  if (schema.type === 'record') {
    seen.add(schema.name);
    const fields = schema.fields.map((field) => `{"name":"${field.name}","type":${canonical(field.type, seen)}}`);
    return `{"name":"${schema.name}","type":"record","fields":[${fields.join(',')}]}`;
  }
  if (schema.type === 'array') return `{"type":"array","items":${canonical(schema.items, seen)}}`;
  if (schema.type === 'map') return `{"type":"map","values":${canonical(schema.values, seen)}}`;
  if (LOGICAL[schema.type]?.includes(schema.logicalType)) {
    return `{"type":"${schema.type}","logicalType":"${schema.logicalType}"}`;
  }
  return canonical(schema.type, seen);
}
function canonicalText(text) {
  try {
    return canonical(JSON.parse(text));
  } catch {
    return text; // a text that is no schema stands for itself
  }
}

const EMPTY = 0xc15d213aa4d7a795n;
const TABLE = BigUint64Array.from({length: 256}, (_, index) => {
  let value = BigInt(index);
  for (let bit = 0; bit < 8; bit++) value = (value >> 1n) ^ (EMPTY & -(value & 1n));
  return BigInt.asUintN(64, value);
});
function fingerprint(form) {
  let value = EMPTY;
  for (const byte of Buffer.from(form)) value = (value >> 8n) ^ TABLE[Number((value ^ BigInt(byte)) & 0xffn)];
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.toString('hex');
}
const fingerprints = Object.fromEntries(Object.keys(schemas).map((name) => [name, fingerprint(canonical(name))]));

const ENVELOPE = registry.EventEnvelope;
const AVRO = `avro:${fingerprints.EventEnvelope}`;
const MARKER = Buffer.from(`c301${fingerprints.EventEnvelope}`, 'hex');
const UTF_8 = new Set(['StringMessage']);
const LAYOUTS = {
  Float32Message: ['bytes', 4, 'FloatBE'],
  Float64Message: ['bytes', 8, 'DoubleBE'],
};

/** Return the event with a message, as it is published, and its identifier. */
function encode(type, value, headers, publisher, asAvro) {
  const identifier = randomUUID();
  let payload = null;
  let format = null;
  if (type !== null && UTF_8.has(type)) {
    [payload, format] = [Buffer.from(value.value), 'utf-8'];
  } else if (type !== null && LAYOUTS[type]) {
    payload = Buffer.alloc(LAYOUTS[type][1]);
    payload[`write${LAYOUTS[type][2]}`](value.value);
    format = 'bytes';
  } else if (type !== null) {
    [payload, format] = [registry[type].toBuffer(value), 'avro'];
  }
  const event = {identifier, publisher_identifier: publisher, message_type: type, payload_format_type: format, ...headers};
  if (type !== null) event.schema_fingerprint = fingerprints[type];
  if (asAvro) {
    for (const field of schemas.EventEnvelope.fields) event[field.name] ??= null;
    event.timestamp = Date.now() * 1000;
    event.serialized_payload = payload;
    return [identifier, Buffer.concat([MARKER, ENVELOPE.toBuffer(event)])];
  }
  for (const [name, one] of Object.entries(headers)) if (one === null || one === undefined) delete event[name];
  event.timestamp = {__type__: 'datetime', value: new Date().toISOString()};
  event.serialized_payload = payload && {__type__: 'bytes', value: payload.toString('base64')};
  return [identifier, Buffer.from(JSON.stringify(event))];
}

/** Return an event with its message in `value`; throws for what cannot be read. */
function decode(data) {
  let event;
  if (data[0] === 0x7b) {
    event = JSON.parse(data.toString());
    if (typeof event.identifier !== 'string') throw new Error('an event has an identifier');
    if (event.serialized_payload) event.serialized_payload = Buffer.from(event.serialized_payload.value, 'base64');
  } else if (data.subarray(0, 10).equals(MARKER)) {
    event = {...ENVELOPE.fromBuffer(data.subarray(10))};
  } else {
    throw new Error('unknown encoding');
  }
  if (event.protocol_version != null && event.protocol_version !== 1) throw new Error('another protocol version');
  const {serialized_payload: payload, message_type: type, payload_format_type: format} = event;
  event.value = null;
  if (payload && format === 'utf-8') event.value = {value: payload.toString('utf8')};
  else if (payload && format === 'bytes') event.value = {value: payload[`read${LAYOUTS[type]?.[2] ?? 'UInt32BE'}`]()};
  else if (payload && registry[type]) event.value = read(type, payload, event.schema_fingerprint);
  return event;
}

// A message grows at its end: one of version 1.0 lacks the last fields, and one of the future has more.
function read(type, payload, told) {
  if (told === fingerprints[type]) return registry[type].fromBuffer(payload);
  for (let length = schemas[type].fields.length; length > 0; length--) {
    const older = {...schemas[type], fields: schemas[type].fields.slice(0, length)};
    const reader = avsc.Type.forSchema(older, {registry: {...registry, [type]: undefined}});
    const {value, offset} = reader.decode(payload);
    if (offset >= 0 && (offset === payload.length || told)) {
      const rest = schemas[type].fields.slice(length).map((field) => [field.name, field.default]);
      return {...value, ...Object.fromEntries(rest)};
    }
  }
  throw new Error(`no ${type}`);
}

module.exports = {AVRO, canonicalText, decode, encode, fingerprints, schemas};
