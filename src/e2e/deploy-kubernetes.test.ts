import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readYaml, schemasMissing, validateGateway, validateKubernetes } from "../testing/kubernetes.ts";
import { makeTempDir, type TempDir } from "../testing/temp-dir.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const MANIFESTS = join(ROOT, "k8");
const { EUROPA_TEST_KUBERNETES_VALIDATE: venv = "", EUROPA_TEST_GATEWAY_API: gatewayApi = "" } = process.env;
const missing = schemasMissing(venv, gatewayApi, Boolean(process.env.CI));

const CORE = ["deployment-template.yml", "namespace.yml", "rbac.yml", "service.yml"];
const GATEWAY = ["httproute.yml", "referencegrant.yml"];
const VALUES: Record<string, string> = {
  REPLACE_WITH_YOUR_WG_HOST: "node-1",
  IMAGE_PLACEHOLDER: "registry.example.com/europa-node:1.0.0",
  REPLACE_WITH_YOUR_GATEWAY_NAMESPACE: "gateways",
  REPLACE_WITH_YOUR_GATEWAY_NAME: "public",
  REPLACE_WITH_YOUR_PUBLIC_HOSTNAME: "vpn.example.com",
  REPLACE_WITH_BUILDER_SA_NAME: "builder",
  REPLACE_WITH_BUILDER_SA_NAMESPACE: "ci",
};

let filled: TempDir;

beforeAll(async () => {
  filled = await makeTempDir();
  for (const file of [...CORE, ...GATEWAY]) {
    // The longest first: one is the beginning of another.
    const names = Object.keys(VALUES).sort((a, b) => b.length - a.length);
    const text = names.reduce((so, name) => so.replaceAll(name, VALUES[name] ?? ""), manifest(file));
    writeFileSync(join(filled.path, file), text);
  }
});

afterAll(() => filled.remove());

function manifest(file: string): string {
  return readFileSync(join(MANIFESTS, file), "utf8");
}

async function placeholdersIn(...files: string[]): Promise<{ code: number; stdout: string }> {
  const script = join(ROOT, "scripts/check-placeholders.sh");
  return run("sh", [script, ...files]).then(
    ({ stdout }) => ({ code: 0, stdout }),
    ({ code, stdout }: { code: number; stdout: string }) => ({ code, stdout }),
  );
}

describe("placeholders", () => {
  it("are all told by name, file and line", async () => {
    const files = readdirSync(MANIFESTS).sort();
    expect(files).toEqual([...CORE, ...GATEWAY].sort());
    const { code, stdout } = await placeholdersIn(...files.map((file) => join(MANIFESTS, file)));
    expect(code).toBe(1);
    const told = stdout.trimEnd().split("\n");
    const named = told.map((line) => /^.*\.yml:\d+: (\w+) is still to be replaced$/.exec(line)?.[1]);
    expect(new Set(named)).toEqual(new Set(Object.keys(VALUES)));
    for (const line of told) {
      const [, file = "", number = "", name = ""] = /([^/]+\.yml):(\d+): (\w+)/.exec(line) ?? [];
      expect(manifest(file).split("\n")[Number(number) - 1]).toContain(name);
    }
  });

  it("one that is left in is found, none is found once all are filled in", async () => {
    const files = [...CORE, ...GATEWAY].map((file) => join(filled.path, file));
    expect(await placeholdersIn(...files)).toEqual({ code: 0, stdout: "" });
    const left = join(MANIFESTS, "httproute.yml");
    const { code, stdout } = await placeholdersIn(...files, left);
    expect(code).toBe(1);
    expect(stdout).toContain("REPLACE_WITH_YOUR_PUBLIC_HOSTNAME");
  });

  it("a file that is not there is no clean one", async () => {
    expect((await placeholdersIn(join(filled.path, "nowhere.yml"))).code).toBe(66);
  });

  it("stand in docs/kubernetes.md", () => {
    const text = readFileSync(join(ROOT, "docs/kubernetes.md"), "utf8");
    const rows = [...text.matchAll(/^\| `(REPLACE_WITH_\w+|IMAGE_PLACEHOLDER)`/gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual(Object.keys(VALUES).sort());
  });
});

describe.skipIf(missing)(`manifests${missing ? ` (skipped: ${missing})` : ""}`, () => {
  it.each(CORE)("Kubernetes takes %s", async (file) => {
    await validateKubernetes(venv, join(filled.path, file));
  });

  it.each(GATEWAY)("the Gateway API takes %s", async (file) => {
    for (const document of await readYaml(venv, join(filled.path, file))) {
      await validateGateway(gatewayApi, document);
    }
  });

  it("a wrong field is noticed", async () => {
    const wrong = join(filled.path, "wrong.yml");
    const deployment = readFileSync(join(filled.path, "deployment-template.yml"), "utf8");
    writeFileSync(wrong, deployment.replace("hostNetwork: true", "hostNetwork: 1"));
    await expect(validateKubernetes(venv, wrong)).rejects.toThrow();
    writeFileSync(wrong, deployment.replace("hostNetwork: true", "hostNetworking: true"));
    await expect(validateKubernetes(venv, wrong)).rejects.toThrow();
    const [route] = (await readYaml(venv, join(filled.path, "httproute.yml"))) as [{ spec: object }];
    const spec = { ...route.spec, hostnames: ["not a name"] };
    await expect(validateGateway(gatewayApi, { ...route, spec })).rejects.toThrow();
  });

  it("the deployment is one daemon on the host's network, with NET_ADMIN alone", async () => {
    const [deployment] = await readYaml(venv, join(filled.path, "deployment-template.yml"));
    const live = expect.objectContaining({ httpGet: { path: "/health/live", port: "http" } });
    expect(deployment).toMatchObject({
      metadata: { name: "europa-node", namespace: "europa-node" },
      spec: {
        replicas: 1,
        strategy: { type: "Recreate" },
        template: {
          spec: {
            hostNetwork: true,
            nodeSelector: { "kubernetes.io/hostname": "node-1" },
            imagePullSecrets: [{ name: "registry-credentials" }],
            containers: [
              {
                image: "registry.example.com/europa-node:1.0.0",
                securityContext: { capabilities: { drop: ["ALL"], add: ["NET_ADMIN"] } },
                livenessProbe: live,
                readinessProbe: live,
                startupProbe: live,
              },
            ],
          },
        },
      },
    });
    const text = JSON.stringify(deployment);
    expect(text).toContain('{"name":"europa-node-nsec","items":[{"key":"nsec","path":"secret/nsec"}]}');
    expect(text).toContain(
      '{"name":"europa-node-config","items":[{"key":"config.toml","path":"config.toml"}]}',
    );
  });

  it("the registry's password is a stanza that can be deleted whole", async () => {
    const text = readFileSync(join(filled.path, "deployment-template.yml"), "utf8");
    const without = text.replace(/^ +#.*delete from here\n[\s\S]*?^ +# to here\.\n/m, "");
    expect(without).not.toMatch(/registry-credentials|imagePullSecrets/);
    const file = join(filled.path, "without.yml");
    writeFileSync(file, without);
    await validateKubernetes(venv, file);
  });

  it("the route may reach the service, and names its port", async () => {
    const read = async (file: string) => (await readYaml(venv, join(filled.path, file)))[0];
    const backend = { name: "europa-node", namespace: "europa-node", port: 8080 };
    expect(await read("httproute.yml")).toMatchObject({
      metadata: { namespace: "gateways" },
      spec: {
        parentRefs: [{ name: "public" }],
        hostnames: ["vpn.example.com"],
        rules: [{ backendRefs: [backend] }],
      },
    });
    expect(await read("service.yml")).toMatchObject({
      metadata: { name: backend.name, namespace: backend.namespace },
      spec: { ports: [{ port: backend.port, targetPort: "http" }] },
    });
    expect(await read("referencegrant.yml")).toMatchObject({
      metadata: { namespace: backend.namespace },
      spec: {
        from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "gateways" }],
        to: [{ group: "", kind: "Service", name: backend.name }],
      },
    });
    expect(await read("namespace.yml")).toMatchObject({
      metadata: {
        name: backend.namespace,
        labels: {
          "pod-security.kubernetes.io/enforce": "privileged",
          "pod-security.kubernetes.io/warn": "baseline",
        },
      },
    });
  });
});
