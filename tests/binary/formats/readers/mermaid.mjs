// Parses sequence diagrams with Mermaid's own parser: node mermaid.mjs FILE...
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

// Mermaid cleans texts with a library that wants a document.
const dom = new JSDOM("");
globalThis.window = dom.window;
globalThis.document = dom.window.document;
const { default: mermaid } = await import("mermaid");

for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, "utf8");
  const { diagramType } = await mermaid.parse(text);
  if (diagramType !== "sequence") throw new Error(`${file} is a ${diagramType}`);
  const diagram = await mermaid.mermaidAPI.getDiagramFromText(text);
  const actors = [...diagram.db.getActors().values()].map((actor) => actor.description);
  const messages = diagram.db.getMessages().map((message) => String(message.message));
  console.log(JSON.stringify({ actors, messages }));
}
