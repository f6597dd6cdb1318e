/** Runs a bundle as the script of a page in Chromium until standard input ends; says in lines what the page says. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [chromium = "", bundle = "", modules = ""] = process.argv.slice(2);
const { chromium: launcher } = createRequire(`${modules}/`)("playwright-core");

const browser = await launcher.launch({ executablePath: chromium, args: ["--no-sandbox"] });
const page = await browser.newPage();
page.on("console", (said) => console.log(said.text()));
page.on("pageerror", (error) => console.log(`uncaught: ${error}`));
const server = createServer((request, response) => {
    const [type, body] =
        request.url === "/bundle.js"
            ? ["text/javascript", readFileSync(bundle)]
            : ["text/html", '<link rel="icon" href="data:,"><script type="module" src="bundle.js"></script>'];
    response.setHeader("Content-Type", type).end(body);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
await page.goto(`http://127.0.0.1:${typeof address === "object" ? address?.port : address}/`);
for await (const _ of process.stdin) {
    // It says nothing.
}
await browser.close();
server.close();
