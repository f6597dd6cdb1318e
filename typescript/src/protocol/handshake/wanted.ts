/** What a core still wants: its requirements less what is connected or requested. */

import * as limits from "../../../../generated/typescript/limits.js";
import type { CoreConfig, RequirementTerms } from "../config.js";
import type { SlotTable } from "../slot-table.js";
import { admitsPlugin, hasRoom, sameLists } from "../terms.js";

/** Works out what is asked for. */
export class Wanted {
  /** Older plugins that have confirmed a connection. */
  readonly older = new Set<string>();
  /** Where among the requirements the last discover ended, if it could not ask for all that was wanted. */
  #asked = 0;

  constructor(
    private config: CoreConfig,
    private readonly slots: SlotTable,
  ) {}

  /** Take a new snapshot. */
  configure(config: CoreConfig): void {
    this.config = config;
  }

  /**
   * The requirement of an operation less what is connected or requested; `null` if nothing is missing.
   *
   * Where only mandatory plugins are missing, they are the allowlist. What is shared with the plugin `without` counts as
   * lost.
   */
  still(operationName: string, without: string | null = null): RequirementTerms | null {
    const terms = this.config.requirements.get(operationName);
    if (terms === undefined) {
      return null;
    }
    const missing = terms.mandatory.filter(
      (plugin) => plugin === without || this.slots.get(plugin, operationName) === undefined,
    );
    let taken = this.taken(operationName, terms);
    if (without !== null && !terms.mandatory.includes(without) && this.slots.get(without, operationName)) {
      taken -= 1;
    }
    if (!hasRoom(terms, taken)) {
      if (missing.length === 0) {
        return null;
      }
      return { ...terms, minimum: 0, maximum: 0, mandatory: missing, allowlist: missing, blocklist: null };
    }
    const allowlist =
      terms.allowlist === null || missing.length === 0
        ? terms.allowlist
        : [...new Set([...terms.allowlist, ...missing])];
    if (taken === 0 && missing.length === terms.mandatory.length && sameLists(allowlist, terms.allowlist)) {
      return terms;
    }
    return {
      ...terms,
      minimum: Math.max(terms.minimum - taken, 0),
      maximum: terms.maximum === null ? null : terms.maximum - taken,
      mandatory: missing,
      allowlist,
    };
  }

  /** Count the slots of an operation that the maximum bounds: those of plugins that are not mandatory. */
  taken(operationName: string, terms: RequirementTerms): number {
    const mandatory = terms.mandatory.filter((plugin) => this.slots.get(plugin, operationName) !== undefined);
    return this.slots.count(operationName) - mandatory.length;
  }

  /** As much of what is wanted as one discover may ask for, in turn if that is not all. */
  next(): Map<string, RequirementTerms> {
    const names = [...this.config.requirements.keys()];
    const begin = names.length === 0 ? 0 : this.#asked % names.length;
    const wanted = new Map<string, RequirementTerms>();
    for (const [index, name] of [...names.slice(begin), ...names.slice(0, begin)].entries()) {
      const terms = this.still(name);
      if (terms !== null) {
        if (wanted.size === limits.OPERATIONS_OF_MESSAGE) {
          this.#asked = begin + index;
          return wanted;
        }
        wanted.set(name, terms);
      }
    }
    this.#asked = 0;
    this.#addLentByOlder(wanted);
    return wanted;
  }

  /** What is wanted of one plugin, first of what it has; as much as one discover may ask for. */
  ofPlugin(plugin: string, announced: readonly string[], without: string | null): Map<string, RequirementTerms> {
    const wanted = new Map<string, RequirementTerms>();
    for (const name of new Set([...announced, ...this.config.requirements.keys()])) {
      const terms = this.still(name, without);
      if (terms !== null && admitsPlugin(terms, plugin)) {
        wanted.set(name, terms);
        if (wanted.size === limits.OPERATIONS_OF_MESSAGE) {
          break;
        }
      }
    }
    return wanted;
  }

  /** Ask older plugins for what they lend, too: one that has started anew says so by offering it, and not else. */
  #addLentByOlder(wanted: Map<string, RequirementTerms>): void {
    for (const plugin of [...this.older].sort()) {
      const lent = this.slots.withRemote(plugin);
      if (lent.size === 0) {
        this.older.delete(plugin);
      }
      for (const [name, slot] of lent) {
        const terms = this.config.requirements.get(name);
        if (terms !== undefined && slot.isOpen && (wanted.has(name) || wanted.size < limits.OPERATIONS_OF_MESSAGE)) {
          const asked = wanted.get(name) ?? { ...terms, minimum: 0, mandatory: [], allowlist: [], blocklist: null };
          const isListed = asked.allowlist?.includes(plugin) ?? true;
          wanted.set(name, isListed ? asked : { ...asked, allowlist: [...(asked.allowlist ?? []), plugin] });
        }
      }
    }
  }
}
