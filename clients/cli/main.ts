// Owns how a command of the one command line runs and ends; parts.ts says where they stand. It refuses nothing itself; refusals of
// the market are printed with their code and end with status 1, but where a command has statuses of its own.

import { Command } from "commander";
import { ZodError } from "zod";
import { JobFailed } from "../sdk/jobs.ts";
import { PolderProblem, TransportFault } from "../sdk/problem.ts";
import { nextStep } from "./next-steps.ts";
import { addParts } from "./parts.ts";

const program = new Command("polder")
  .description("a regional market at the edge: households sell solar kWh, machines sell compute")
  .showHelpAfterError("(--help says what there is)");
await addParts(program, process.argv[2]);

try {
  await program.parseAsync();
} catch (error) {
  console.error(explain(error));
  // A command with statuses of its own has set it.
  process.exitCode ??= 1;
}

function explain(error: unknown): string {
  if (error instanceof PolderProblem) return withStep(error.message, error);
  if (error instanceof JobFailed && error.job.problem !== null)
    return withStep(error.message, error.job.problem);
  // The network's own fault stands behind it.
  if (error instanceof TransportFault && error.cause !== undefined)
    return `${error.message}\nnpm start runs a deployment on this machine; --url or POLDER_URL names another`;
  if (error instanceof ZodError) {
    return error.issues.map(({ path, message }) => `${path.join(".") || "value"}: ${message}`).join("\n");
  }
  return error instanceof Error ? error.message : String(error);
}

function withStep(message: string, problem: Parameters<typeof nextStep>[0]): string {
  const step = nextStep(problem);
  return step === null ? message : `${message}\n${step}`;
}
