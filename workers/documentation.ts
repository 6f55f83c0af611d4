// Owns the pages that explain the API: the OpenAPI document, a readable form of it, and the table of errors. It refuses
// to load anything from elsewhere.

import { ERRORS } from "../protocol/errors.ts";
import type { Application } from "./router.ts";

const INFO = {
  title: "Polder",
  version: "1",
  description:
    "A regional market at the edge. Households post standing orders; meters say how much; every quarter-hour clears at one price. " +
    "Every change is a command, signed by a wallet (EIP-712), by a session key (Ed25519), or by the gateway for the holder of an API key. " +
    "Energy is in Wh, money in micros (10^-6 of the quote asset), prices in micros per kWh, instants in Unix seconds of market time.",
} as const;

/** Registers the paths. */
export function documentationRoutes(application: Application): void {
  application.openAPIRegistry.registerComponent("securitySchemes", "apiKey", {
    type: "http",
    scheme: "bearer",
    description: "polder_<account><seed>: a session key's seed with its account",
  });
  application.get("/openapi.json", (context) =>
    context.json(
      application.getOpenAPI31Document({
        openapi: "3.1.0",
        info: INFO,
        servers: [{ url: new URL(context.req.url).origin }],
      }),
    ),
  );
  application.get("/docs", (context) => context.html(PAGE));
  application.get("/docs/errors", (context) => context.html(errorPage()));
}

const HEAD = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Polder API</title><link rel="stylesheet" href="/docs-assets/swagger-ui.css">
<style>body{margin:0 auto;max-width:75rem;padding:0 1rem;font:16px/1.5 system-ui,sans-serif}td,th{padding:.4rem .8rem;text-align:left;vertical-align:top}
tr:target{background:#fff3c4}code{font-size:.95em}</style></head><body>`;

const PAGE = `${HEAD}<p><a href="/docs/errors">Errors</a> · <a href="/openapi.json">OpenAPI document</a> · <a href="/">Market</a></p>
<div id="api"></div><script src="/docs-assets/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url:"/openapi.json",dom_id:"#api",deepLinking:true,defaultModelsExpandDepth:0})</script></body></html>`;

function errorPage(): string {
  const rows = Object.entries(ERRORS)
    .map(
      ([code, { status, transient, meaning }]) =>
        `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${transient ? "try again" : ""}</td><td>${escapeHtml(meaning)}</td></tr>`,
    )
    .join("\n");
  return `${HEAD}<h1>Errors</h1><p>In order of precedence. <a href="/docs">API</a></p>
<table><thead><tr><th>code</th><th>status</th><th></th><th>meaning</th></tr></thead><tbody>${rows}</tbody></table></body></html>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
