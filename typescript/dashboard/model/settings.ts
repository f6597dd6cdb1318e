/** What the page is told by the command that serves it. */

/** What the page has to know. */
export interface Settings {
  /** The bus, without what is secret. */
  readonly bus: string;
  /** Who asks orbiters. */
  readonly operator: string;
  /** How the identifiers of cores that call begin, or the one that there is; `null` if nothing may be called. */
  readonly callers: string | null;
  /** Whether that is a whole identifier. */
  readonly hasOneCaller: boolean;
  /** The URL of a WebSocket for one party. */
  readonly webSocket: (path: string) => string;
  /** The URL at which the command says whether it reaches the broker. */
  readonly state: string;
}

/** Load the settings. */
export async function loadSettings(): Promise<Settings> {
  const answer = await fetch("settings.json");
  if (!answer.ok) {
    throw new Error(await answer.text());
  }
  const told = (await answer.json()) as Omit<Settings, "webSocket" | "state">;
  const here = new URL(".", location.href);
  const state = new URL("bus.json", here).href;
  here.protocol = here.protocol.replace("http", "ws");
  return { ...told, state, webSocket: (path) => new URL(path, here).href };
}
