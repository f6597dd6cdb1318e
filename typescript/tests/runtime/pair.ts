/** Orbiters of tests, on a bus within the process. */

import { afterEach } from "vitest";

import { Core, LocalBroker, Plugin, type CoreOptions, type Log, type OrbiterOptions } from "../../src/index.js";

/** Keeps what orbiters say, so that tests can look at it. */
export class KeptLog implements Log {
  readonly lines: string[] = [];

  warn(text: string): void {
    this.lines.push(text);
  }

  error(text: string): void {
    this.lines.push(text);
  }
}

const started: (Core | Plugin)[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.stop()));
});

/** A bus, and orbiters on it that stop at the end of the test. */
export class Scene {
  readonly broker = new LocalBroker();
  readonly log = new KeptLog();

  plugin(options: Partial<OrbiterOptions> = {}): Plugin {
    return kept(new Plugin({ identifier: "plugin", bus: this.broker.client(), log: this.log, ...options }));
  }

  core(options: Partial<CoreOptions> = {}): Core {
    return kept(new Core({ identifier: "core", bus: this.broker.client(), log: this.log, ...options }));
  }
}

/** Start orbiters, and wait until the core is compliant. */
export async function connected(core: Core, ...plugins: Plugin[]): Promise<void> {
  for (const plugin of plugins) {
    await plugin.start();
  }
  await core.start();
  await core.compliant({ signal: AbortSignal.timeout(5000) });
}

/** Wait until something is so. */
export async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 5000;
  while (!holds()) {
    if (Date.now() > end) {
      throw new Error(`it did not happen in time: ${holds.toString()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Have an orbiter stop at the end of the test. */
export function kept<T extends Core | Plugin>(orbiter: T): T {
  started.push(orbiter);
  return orbiter;
}
