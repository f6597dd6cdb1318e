/** Says that the page is not connected: with which bus, since when, and what to do. */

import type { JSX } from "preact";

import type { Cut, Link } from "../model/link.js";
import { agoShown, clockShown } from "../model/format.js";

/** What the banner shows. */
export interface BannerProps {
  readonly bus: string;
  readonly link: Link;
  readonly now: number;
}

const TO_DO: Readonly<Record<Cut, string>> = {
  command:
    "Start it again, and open the URL that it prints. If it only hangs, or your network does, this page goes on.",
  restart: "Open the URL that it has printed at its start.",
  broker: "Start the broker, or see to the network. The page tries again each second, and goes on by itself.",
};

/** Tell people what is wrong with the connection, if anything is. */
export function Banner({ bus, link, now }: BannerProps): JSX.Element {
  const { isUp, since, problem } = link;
  return (
    <div role="alert">
      {!isUp && problem !== null && (
        <div class="banner">
          <p>
            <b>
              Not connected with {bus} since {secondShown(since)}
            </b>{" "}
            ({agoShown(since, now)}): {problem.text}.
          </p>
          <p>{TO_DO[problem.cut]} What you see below is as it was then.</p>
        </div>
      )}
    </div>
  );
}

/** A clock to the second. */
export function secondShown(at: number): string {
  return clockShown(at).slice(0, "00:00:00".length);
}
