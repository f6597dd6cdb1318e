/** Bundles the program of the page into the folder that has page and style: node dashboard/bundle.mjs [FOLDER] */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = new URL("./", import.meta.url);
const folder = process.argv[2] ?? fileURLToPath(new URL("../../orbitalis/dashboard/page", here));

const { outputFiles } = await build({
  absWorkingDir: fileURLToPath(new URL("../", here)),
  entryPoints: ["dashboard/main.tsx"],
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: ["chrome123", "firefox120", "safari17.5"],
  charset: "utf8",
  legalComments: "none",
  write: false,
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
});
const notice =
  "/* Made by typescript/dashboard/bundle.mjs. It contains mqtt.js and Preact, both under the MIT license. */\n";
writeFileSync(`${folder}/page.js`, notice + (outputFiles[0]?.text ?? "").replace(/[ \t]+$/gm, ""));
