/** Starts the page. */

import { render } from "preact";

import { Fleet } from "./model/fleet.js";
import { identifierIn } from "./model/format.js";
import { loadSettings } from "./model/settings.js";
import { App } from "./view/app.js";

/** Milliseconds between two drawings, at least. */
const DRAWN_EVERY = 150;
/** Milliseconds between two drawings, at most: times go on. */
const DRAWN_AFTER = 1000;

async function start(root: HTMLElement): Promise<void> {
  const settings = await loadSettings();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let drawnAt = 0;
  const draw = (): void => {
    if (timer !== null) {
      clearTimeout(timer);
    }
    drawnAt = performance.now();
    timer = setTimeout(draw, DRAWN_AFTER);
    isSoon = false;
    fleet.members.judge();
    const selected = identifierIn(location.hash);
    render(<App settings={settings} fleet={fleet} selected={selected} select={select} now={Date.now()} />, root);
  };
  root.replaceChildren();
  let isSoon = false;
  const drawSoon = (): void => {
    if (isSoon) {
      return;
    }
    isSoon = true;
    if (timer !== null) {
      clearTimeout(timer);
    }
    timer = setTimeout(draw, Math.max(0, drawnAt + DRAWN_EVERY - performance.now()));
  };
  const select = (identifier: string | null): void => {
    history.replaceState(null, "", identifier === null ? location.pathname : `#${encodeURIComponent(identifier)}`);
    draw();
  };
  const fleet = new Fleet(settings, drawSoon);
  addEventListener("hashchange", draw);
  draw();
  await fleet.start();
}

const root = document.getElementById("page");
if (root !== null) {
  start(root).catch((error: unknown) => {
    root.textContent = `The page cannot start: ${error instanceof Error ? error.message : String(error)}`;
  });
}
