/** What a schema says, with all names resolved: the types of Avro. */

import { isObject, valueOf, type JsonObject, type JsonValue } from "../support/json.js";

import { isList, logicalTypeOf, named, PRIMITIVES } from "./canonical-form.js";
import { isSchema, parsedSchema, whyNot } from "./forms.js";

/** A primitive type of Avro. */
export interface Primitive {
  readonly kind: "primitive";
  readonly key: string;
  readonly name: string;
}

/** A named type, by its full name. */
export interface Reference {
  readonly kind: "reference";
  readonly key: string;
  readonly name: string;
}

/** A primitive or a fixed with a meaning, such as `timestamp-millis` on a long. */
export interface LogicalType {
  readonly kind: "logical";
  readonly key: string;
  readonly name: string;
  readonly underlying: Primitive | Reference;
  /** Digits of a decimal; 0 for every other type. */
  readonly precision: number;
  /** Digits of a decimal behind the point. */
  readonly scale: number;
}

/** A sequence of items of one type. */
export interface ArrayType {
  readonly kind: "array";
  readonly key: string;
  readonly items: AvroType;
}

/** A mapping from texts to values of one type. */
export interface MapType {
  readonly kind: "map";
  readonly key: string;
  readonly values: AvroType;
}

/** One of several types, in the order of their indexes on the wire. */
export interface UnionType {
  readonly kind: "union";
  readonly key: string;
  readonly branches: readonly AvroType[];
}

/** Any type; two of one schema that have the same `key` are the same. */
export type AvroType = Primitive | Reference | LogicalType | ArrayType | MapType | UnionType;

/** One field of a record. */
export interface FieldType {
  readonly name: string;
  readonly type: AvroType;
  /** As JSON gives it; `undefined` if there is none. */
  readonly default: JsonValue | undefined;
  /** Other names under which a reader with this field finds it. */
  readonly aliases: readonly string[];
}

/** A record. */
export interface RecordType {
  readonly kind: "record";
  readonly name: string;
  readonly aliases: readonly string[];
  readonly fields: readonly FieldType[];
}

/** An enumeration. */
export interface EnumType {
  readonly kind: "enum";
  readonly name: string;
  readonly aliases: readonly string[];
  readonly symbols: readonly string[];
  readonly default: string | null;
}

/** So many bytes. */
export interface FixedType {
  readonly kind: "fixed";
  readonly name: string;
  readonly aliases: readonly string[];
  readonly size: number;
}

/** A type that has a name, and other names under which a reader with it knows it. */
export type NamedType = RecordType | EnumType | FixedType;

/** A whole schema. */
export interface SchemaType {
  readonly root: AvroType;
  /** All named types in it by full name. */
  readonly named: ReadonlyMap<string, NamedType>;
}

/** Read a schema given as text; throws a `TypeError` that says why it is none. */
export function schemaType(text: string): SchemaType {
  if (!isSchema(text)) {
    throw new TypeError(`expected an Avro schema as JSON text: ${whyNot(text)}`);
  }
  return readSchema(parsedSchema(text));
}

/** Return the type that a schema stands for; what is no schema gives anything, so have it checked before. */
export function readSchema(schema: JsonValue): SchemaType {
  const reader = new Reader();
  return { root: reader.type(schema, ""), named: reader.named };
}

/** Collects the named types of one schema. */
class Reader {
  readonly named = new Map<string, NamedType>();
  /** What the name of a fixed stands for: it may have a logical type. */
  readonly #meant = new Map<string, AvroType>();

  /** Read what stands where a type belongs, inside of a namespace. */
  type(schema: JsonValue | undefined, around: string): AvroType {
    if (typeof schema === "string") {
      if (PRIMITIVES.has(schema)) {
        return primitive(schema);
      }
      const name = named(schema, around).fullName;
      return this.#meant.get(name) ?? reference(name);
    }
    if (isList(schema)) {
      const branches = schema.map((branch) => this.type(branch, around));
      return { kind: "union", key: `(${branches.map((one) => one.key).join("|")})`, branches };
    }
    const object = isObject(schema) ? schema : {};
    const kind = valueOf(object, "type");
    switch (kind) {
      case "array": {
        const items = this.type(valueOf(object, "items"), around);
        return { kind, key: `[${items.key}]`, items };
      }
      case "map": {
        const values = this.type(valueOf(object, "values"), around);
        return { kind, key: `{${values.key}}`, values };
      }
      case "fixed": {
        const defined = this.#define(kind, object, around);
        const meant = logical(kind, object, defined);
        this.#meant.set(defined.name, meant);
        return meant;
      }
      case "record":
      case "error":
      case "enum":
        return this.#define(kind, object, around);
      default:
        return typeof kind === "string" ? logical(kind, object, primitive(kind)) : this.type(kind, around);
    }
  }

  #define(kind: "record" | "error" | "enum" | "fixed", schema: JsonObject, around: string): Reference {
    const namespace = valueOf(schema, "namespace") ?? around;
    const { fullName: name, inner } = named(textOf(valueOf(schema, "name")), textOf(namespace));
    const aliases = textsOf(valueOf(schema, "aliases")).map((alias) => named(alias, inner).fullName);
    if (kind === "enum") {
      const given = valueOf(schema, "default");
      const symbols = textsOf(valueOf(schema, "symbols"));
      this.named.set(name, { kind, name, aliases, symbols, default: typeof given === "string" ? given : null });
    } else if (kind === "fixed") {
      this.named.set(name, { kind, name, aliases, size: Number(valueOf(schema, "size")) });
    } else {
      const fields = listOf(valueOf(schema, "fields")).map((field) => this.#field(field, inner));
      this.named.set(name, { kind: "record", name, aliases, fields });
    }
    return reference(name);
  }

  #field(field: JsonValue, around: string): FieldType {
    const object = isObject(field) ? field : {};
    return {
      name: textOf(valueOf(object, "name")),
      type: this.type(valueOf(object, "type"), around),
      default: valueOf(object, "default"),
      aliases: textsOf(valueOf(object, "aliases")),
    };
  }
}

function primitive(name: string): Primitive {
  return { kind: "primitive", key: name, name };
}

function reference(name: string): Reference {
  return { kind: "reference", key: `<${name}>`, name };
}

function logical(kind: string, schema: JsonObject, underlying: Primitive | Reference): AvroType {
  const found = logicalTypeOf(kind, schema);
  if (found === null) {
    return underlying;
  }
  const key = `${found.name},${String(found.precision)},${String(found.scale)}:${underlying.key}`;
  return { kind: "logical", key, underlying, ...found };
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return isList(value) ? value : [];
}

/** The texts of a list; what is none is left out. */
function textsOf(value: JsonValue | undefined): readonly string[] {
  return listOf(value).filter((one) => typeof one === "string");
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
