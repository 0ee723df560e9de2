import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where schemas are: a Python venv with PyPI `kubernetes-validate`, and a folder with npm `@kubernetes-models/gateway-api`. */
export interface KubernetesSchemas {
  venv: string;
  gatewayApi: string;
}

/** Why manifests cannot be checked here, or undefined when they can. In CI that is an error. */
export function schemasMissing(
  venv: string | undefined,
  gatewayApi: string | undefined,
  inCi: boolean,
): string | undefined {
  const reason = venvTrouble(venv) ?? gatewayTrouble(gatewayApi);
  if (reason !== undefined && inCi) throw new Error(`${reason}: CI runs these tests, it does not skip them`);
  return reason;
}

function venvTrouble(venv: string | undefined): string | undefined {
  if (!venv) return "EUROPA_TEST_KUBERNETES_VALIDATE is not set";
  const program = join(venv, "bin/kubernetes-validate");
  return existsSync(program) ? undefined : "EUROPA_TEST_KUBERNETES_VALIDATE has no bin/kubernetes-validate";
}

function gatewayTrouble(folder: string | undefined): string | undefined {
  if (!folder) return "EUROPA_TEST_GATEWAY_API is not set";
  return existsSync(modelsIn(folder))
    ? undefined
    : "EUROPA_TEST_GATEWAY_API has no @kubernetes-models/gateway-api";
}

const modelsIn = (folder: string) => join(folder, "node_modules/@kubernetes-models/gateway-api");

/** Every document of a YAML file. */
export async function readYaml(venv: string, file: string): Promise<unknown[]> {
  const program = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
  const { stdout } = await run(join(venv, "bin/python"), ["-c", program, file]);
  return JSON.parse(stdout) as unknown[];
}

/** Throws with the tool's words when a document is not what Kubernetes takes, unknown fields included. */
export async function validateKubernetes(venv: string, file: string): Promise<void> {
  await run(join(venv, "bin/kubernetes-validate"), ["--strict", file]);
}

interface Model {
  validate(): void;
}

/** Throws when the document is not what the schema of its kind and version says. */
export async function validateGateway(folder: string, document: unknown): Promise<void> {
  const { apiVersion, kind } = document as { apiVersion: string; kind: string };
  const file = join(modelsIn(folder), apiVersion, `${kind}.js`);
  const models = (await import(pathToFileURL(file).href)) as Record<string, new (data: unknown) => Model>;
  const Kind = models[kind];
  if (Kind === undefined) throw new Error(`the Gateway API has no ${kind} in ${apiVersion}`);
  new Kind(document).validate();
}
