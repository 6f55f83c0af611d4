// Owns the files that deployments are kept in: `<chainId>.json` when one is done, `<chainId>.begun.json` while it is made.
// It refuses to leave half a file behind, and a file that is not what it should be.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { z } from "zod";
import {
  type Deployment,
  type DeploymentStore,
  deploymentSchema,
  progressSchema,
} from "../../governance/deploy/deployment.ts";
import { writeWhole } from "../household/whole-file.ts";

/** Where the project keeps the deployments of public chains. */
export const DEPLOYMENTS = resolve(import.meta.dirname, "../../governance/deployments");

/** Deployments in a folder. */
export function deploymentFiles(folder: string): DeploymentStore {
  const done = (chainId: number) => join(folder, `${chainId}.json`);
  const begun = (chainId: number) => join(folder, `${chainId}.begun.json`);
  return {
    read: (chainId) => readDocument(done(chainId), deploymentSchema),
    write: (deployment: Deployment) => writeDocument(done(deployment.chainId), deployment),
    readProgress: (chainId) => readDocument(begun(chainId), progressSchema),
    writeProgress: (progress) => writeDocument(begun(progress.chainId), progress),
    dropProgress: (chainId) => rmSync(begun(chainId), { force: true }),
  };
}

function writeDocument(file: string, document: object): void {
  writeWhole(file, `${JSON.stringify(document, null, 2)}\n`, 0o644);
}

/** @throws Error that names the file and what is wrong with it */
function readDocument<T extends z.ZodType>(file: string, schema: T): z.infer<T> | null {
  if (!existsSync(file)) return null;
  let written: unknown;
  try {
    written = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
  const decoded = schema.safeParse(written);
  if (decoded.success) return decoded.data;
  const [issue] = decoded.error.issues as [z.core.$ZodIssue];
  throw new Error(`${file}: ${issue.path.join(".") || "value"}: ${issue.message}`);
}
