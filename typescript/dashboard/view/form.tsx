/** A form that is made from the schema of an operation's input. */

import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

import { draftOf, NOTHING, type Draft } from "../model/drafts.js";
import { shortName } from "../model/shapes.js";
import type { FieldNode, TypeNode } from "../model/tree.js";

/** A field of a form. */
export interface FieldProps {
  readonly label: string;
  readonly node: TypeNode;
  readonly draft: Draft;
  readonly change: (draft: Draft) => void;
  /** Where it is in the whole. */
  readonly path: string;
  /** What is wrong, and where. */
  readonly fault: { readonly path: string; readonly reason: string } | null;
}

const HINTS: Readonly<Record<string, string>> = {
  bytes: "base64",
  date: "2030-12-31",
  "time-millis": "23:59:59.5",
  "time-micros": "23:59:59.5",
  "timestamp-millis": "2030-12-31T23:59:00+01:00",
  "timestamp-micros": "2030-12-31T23:59:00+01:00",
  "local-timestamp-millis": "2030-12-31T23:59",
  "local-timestamp-micros": "2030-12-31T23:59",
  duration: "1 month 2 days 500 ms",
  "dataclasses-avroschema-timedelta": "seconds",
};
const NUMBERS: ReadonlySet<string> = new Set(["int", "long", "float", "double"]);

/** Show the field of a type, and all that is in it. */
export function Field(props: FieldProps): JSX.Element {
  const { node, draft } = props;
  switch (node.kind) {
    case "primitive":
    case "fixed":
      return draft.kind === "flag" ? <Flag {...props} isOn={draft.isOn} /> : <Text {...props} />;
    case "enum":
      return <Symbols {...props} symbols={node.symbols} />;
    case "record":
      return <Fields {...props} fields={node.fields} />;
    case "array":
      return <List {...props} inner={node.inner} />;
    case "map":
      return <Entries {...props} inner={node.inner} />;
    case "union":
      return <Choice {...props} branches={node.branches} />;
  }
}

/** What a type is called. */
function typeShown(node: TypeNode): string {
  switch (node.kind) {
    case "primitive":
      return node.logical ?? (node.name === "null" ? "nothing" : node.name);
    case "array":
      return `list of ${typeShown(node.inner)}`;
    case "map":
      return `${typeShown(node.inner)} by name`;
    case "union":
      return node.branches.map(typeShown).join(" or ");
    case "fixed":
      return node.logical ?? `${node.size} bytes`;
    default:
      return shortName(node.name);
  }
}

function Labelled(props: FieldProps & { readonly id: string; readonly children: ComponentChildren }): JSX.Element {
  const { id, label, node, path, fault, children } = props;
  return (
    <div class="field">
      <label for={id}>
        {label} <small>{typeShown(node)}</small>
      </label>
      {children}
      {fault?.path === path && (
        <p class="fault" id={`${id}-fault`}>
          {fault.reason}
        </p>
      )}
    </div>
  );
}

function Text(props: FieldProps): JSX.Element {
  const id = useId();
  const { node, draft, change, path, fault } = props;
  const name = node.kind === "primitive" ? node.name : "bytes";
  const logical = node.kind === "primitive" || node.kind === "fixed" ? node.logical : null;
  if (name === "null") {
    return <p class="field">{props.label}: nothing</p>;
  }
  const isWrong = fault?.path === path;
  return (
    <Labelled {...props} id={id}>
      <input
        id={id}
        type="text"
        inputMode={NUMBERS.has(name) && logical === null ? "decimal" : undefined}
        autocomplete="off"
        spellcheck={false}
        value={draft.kind === "text" ? draft.text : ""}
        placeholder={HINTS[logical ?? name] ?? ""}
        aria-invalid={isWrong}
        aria-describedby={isWrong ? `${id}-fault` : undefined}
        onInput={(event) => change({ kind: "text", text: event.currentTarget.value })}
      />
    </Labelled>
  );
}

function Flag({ label, isOn, change }: FieldProps & { readonly isOn: boolean }): JSX.Element {
  return (
    <label class="field flag">
      <input
        type="checkbox"
        checked={isOn}
        onChange={(event) => change({ kind: "flag", isOn: event.currentTarget.checked })}
      />{" "}
      {label}
    </label>
  );
}

function Symbols(props: FieldProps & { readonly symbols: readonly string[] }): JSX.Element {
  const id = useId();
  const { draft, change, symbols } = props;
  return (
    <Labelled {...props} id={id}>
      <select
        id={id}
        value={draft.kind === "text" ? draft.text : ""}
        onChange={(event) => change({ kind: "text", text: event.currentTarget.value })}
      >
        {symbols.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
    </Labelled>
  );
}

function Group({ label, node, children }: FieldProps & { readonly children: ComponentChildren }): JSX.Element {
  return (
    <fieldset>
      <legend>
        {label} {typeShown(node) !== label && <small>{typeShown(node)}</small>}
      </legend>
      {children}
    </fieldset>
  );
}

function Fields(props: FieldProps & { readonly fields: readonly FieldNode[] }): JSX.Element {
  const { draft, change, path, fault, fields } = props;
  if (draft.kind !== "fields") {
    return <p class="fault">{props.label}: contains itself without end, so that it has no value</p>;
  }
  const given = draft.fields;
  return (
    <Group {...props}>
      {fields.map((one) => (
        <Field
          key={one.name}
          label={one.name}
          node={one.type}
          draft={given[one.name] ?? NOTHING}
          path={path === "" ? one.name : `${path}.${one.name}`}
          fault={fault}
          change={(inner) => change({ kind: "fields", fields: { ...given, [one.name]: inner } })}
        />
      ))}
    </Group>
  );
}

function List(props: FieldProps & { readonly inner: TypeNode }): JSX.Element {
  const { draft, change, path, fault, inner, label } = props;
  const items = draft.kind === "list" ? draft.items : [];
  const set = (changed: readonly Draft[]): void => change({ kind: "list", items: changed });
  return (
    <Group {...props}>
      {items.map((one, index) => (
        <div class="item" key={index}>
          <Field
            label={`${label} ${index + 1}`}
            node={inner}
            draft={one}
            path={`${path}[${index}]`}
            fault={fault}
            change={(item) => set(items.with(index, item))}
          />
          <button
            type="button"
            aria-label={`Remove ${label} ${index + 1}`}
            onClick={() => set(items.toSpliced(index, 1))}
          >
            ×
          </button>
        </div>
      ))}
      <button type="button" onClick={() => set([...items, draftOf(inner)])}>
        Add to {label}
      </button>
    </Group>
  );
}

function Entries(props: FieldProps & { readonly inner: TypeNode }): JSX.Element {
  const { draft, change, path, fault, inner, label } = props;
  const entries = draft.kind === "entries" ? draft.entries : [];
  const set = (changed: readonly (readonly [string, Draft])[]): void => change({ kind: "entries", entries: changed });
  return (
    <Group {...props}>
      {fault?.path === path && <p class="fault">{fault.reason}</p>}
      {entries.map(([key, one], index) => (
        <div class="item" key={index}>
          <input
            type="text"
            aria-label={`Name ${index + 1} in ${label}`}
            value={key}
            onInput={(event) => set(entries.with(index, [event.currentTarget.value, one]))}
          />
          <Field
            label={key === "" ? "value" : key}
            node={inner}
            draft={one}
            path={`${path}["${key}"]`}
            fault={fault}
            change={(item) => set(entries.with(index, [key, item]))}
          />
          <button
            type="button"
            aria-label={`Remove ${key} from ${label}`}
            onClick={() => set(entries.toSpliced(index, 1))}
          >
            ×
          </button>
        </div>
      ))}
      <button type="button" onClick={() => set([...entries, ["", draftOf(inner)]])}>
        Add to {label}
      </button>
    </Group>
  );
}

function Choice(props: FieldProps & { readonly branches: readonly TypeNode[] }): JSX.Element {
  const id = useId();
  const { draft, change, branches, label, path, fault } = props;
  const index = draft.kind === "choice" ? draft.index : 0;
  const branch = branches[index];
  const isNothing = branch?.kind === "primitive" && branch.name === "null";
  const choose = (chosen: number): void => {
    const one = branches[chosen];
    if (one !== undefined) {
      change({ kind: "choice", index: chosen, draft: draftOf(one) });
    }
  };
  return (
    <div class="choice">
      <Labelled {...props} id={id} fault={null}>
        <select id={id} value={index} onChange={(event) => choose(Number(event.currentTarget.value))}>
          {branches.map((one, place) => (
            <option key={place} value={place}>
              {typeShown(one)}
            </option>
          ))}
        </select>
      </Labelled>
      {branch !== undefined && !isNothing && draft.kind === "choice" && (
        <Field
          label={label}
          node={branch}
          draft={draft.draft}
          path={path}
          fault={fault}
          change={(inner) => change({ kind: "choice", index, draft: inner })}
        />
      )}
    </div>
  );
}
