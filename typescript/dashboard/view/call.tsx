/** Calls an operation: a form for its input, and the answer. */

import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";

import { Field } from "./form.js";
import { call, type Called, type Outcome } from "../model/caller.js";
import { DraftError, draftOf, valueOf, type Draft } from "../model/drafts.js";
import { secondsShown } from "../model/format.js";
import type { Settings } from "../model/settings.js";
import { shortName, typeOfForeignSchema } from "../model/shapes.js";
import { jsonText } from "../model/values.js";
import { bytes, float64, int64, text, TypedValue } from "../../src/index.js";
import type { PayloadType } from "../../src/message/payload-type.js";
import type { SchemaSet } from "../../src/schema/schema-set.js";
import { treeOfPayload, type TypeNode } from "../model/tree.js";

/** What an input can be: a type, or `null` for an empty event. */
type Kind = PayloadType | null;

type State =
  | { readonly kind: "idle" | "busy" }
  | { readonly kind: "answered"; readonly outcome: Outcome }
  | { readonly kind: "failed"; readonly reason: string; readonly fault: DraftError | null };

const TIMEOUT = 10;

/** Show the form of an operation. */
export function CallForm({ settings, called }: { readonly settings: Settings; readonly called: Called }): JSX.Element {
  const id = useId();
  const kinds = kindsOf(called.description.input);
  const [index, setIndex] = useState(0);
  const kind = kinds[index] ?? null;
  const node = kind === null ? null : nodeOf(kind);
  const [draft, setDraft] = useState<Draft | null>(node === null ? null : draftOf(node));
  const [timeout, setLimit] = useState(String(TIMEOUT));
  const [state, setState] = useState<State>({ kind: "idle" });
  if (kinds.length === 0) {
    return (
      <p>
        {called.description.input.schemas.length > 0
          ? "There is no form for this operation: its schema is too large, or none that can be read."
          : "This operation takes no input: its plugin sends outputs by itself."}
      </p>
    );
  }
  const choose = (chosen: number): void => {
    const one = kinds[chosen] ?? null;
    setIndex(chosen);
    setDraft(one === null ? null : draftOf(nodeOf(one)));
  };
  const send = async (): Promise<void> => {
    try {
      const seconds = Number(timeout);
      if (!(seconds > 0)) {
        throw new DraftError("timeout", `expected seconds, a number above 0, got "${timeout}"`);
      }
      const value =
        kind === null || node === null || draft === null ? undefined : new TypedValue(kind, valueOf(node, draft));
      setState({ kind: "busy" });
      setState({ kind: "answered", outcome: await call(settings, called, value, seconds) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      setState({ kind: "failed", reason, fault: error instanceof DraftError ? error : null });
    }
  };
  const fault = state.kind === "failed" ? state.fault : null;
  return (
    <form
      class="call"
      aria-label={`Call ${called.operation} of ${called.plugin}`}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {kinds.length > 1 && (
        <div class="field">
          <label for={`${id}-kind`}>Input</label>
          <select id={`${id}-kind`} value={index} onChange={(event) => choose(Number(event.currentTarget.value))}>
            {kinds.map((one, place) => (
              <option key={place} value={place}>
                {one === null ? "empty" : shortName(one.name)}
              </option>
            ))}
          </select>
        </div>
      )}
      {node !== null && draft !== null && kind !== null && (
        <Field
          label={kind.isOfProtocol ? "value" : shortName(kind.name)}
          node={node}
          draft={draft}
          change={setDraft}
          path=""
          fault={fault}
        />
      )}
      <div class="send">
        <label>
          Timeout in s{" "}
          <input
            type="text"
            inputMode="decimal"
            size={4}
            value={timeout}
            onInput={(event) => setLimit(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={state.kind === "busy"}>
          {state.kind === "busy" ? "Calls …" : "Call"}
        </button>
      </div>
      <div role="status" class="outcome">
        {state.kind === "answered" && (
          <>
            <p>
              {state.outcome.answer === undefined ? "Sent; it gives no answer." : "Answer"}{" "}
              <small>after {secondsShown(state.outcome.seconds)}</small>
            </p>
            {state.outcome.answer !== undefined && <pre class="answer">{jsonText(state.outcome.answer, "  ")}</pre>}
          </>
        )}
        {state.kind === "failed" && <p class="fault">{state.reason}</p>}
      </div>
    </form>
  );
}

function kindsOf(input: SchemaSet): Kind[] {
  const ofProtocol = input.supportUndefinedSchema ? [text, int64, float64, bytes].flatMap((one) => one.types) : [];
  const declared = input.schemas.map(typeOfForeignSchema).filter((one) => one !== null);
  return [...declared, ...ofProtocol, ...(input.supportEmptySchema ? [null] : [])];
}

/** What is filled in for a type: of messages of bare values, the value alone. */
function nodeOf(kind: PayloadType): TypeNode {
  const tree = treeOfPayload(kind);
  const [value] = tree.kind === "record" ? tree.fields : [];
  return kind.isOfProtocol && value !== undefined ? value.type : tree;
}
