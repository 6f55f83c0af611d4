// The deployment description against wrangler itself: a dry run bundles the gateway and accepts every binding.

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { buildWeb } from "../../tools/build-web.ts";

const ROOT = join(import.meta.dirname, "../..");

test("behavior: wrangler accepts the deployment in a dry run", { timeout: 120_000 }, async () => {
  await buildWeb();
  const outdir = mkdtempSync(join(tmpdir(), "polder-deploy-"));
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(ROOT, "node_modules/wrangler/bin/wrangler.js"), "deploy", "--dry-run", "--outdir", outdir],
      {
        cwd: ROOT,
        // Own settings folder, no metrics, no account: the run must not depend on who runs it.
        env: {
          PATH: process.env.PATH,
          HOME: outdir,
          WRANGLER_SEND_METRICS: "false",
          CI: "true",
          NO_COLOR: "1",
        },
      },
    );
    for (const binding of [
      "env.REGION",
      "env.FEED",
      "env.INTAKE",
      "env.DIRECTORY",
      "env.CHAIN_MIRROR",
      "env.ARCHIVE",
      "env.ASSETS",
    ]) {
      expect(stdout).toContain(binding);
    }
    expect(readdirSync(outdir)).toContain("gateway.js");
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
});
