/**
 * Which test types which block: `document: beginning of its lines`. What no test types stands below, with the reason.
 * A new block belongs into one of the two.
 */
const TYPED = {
  host: [
    "README.md: apt-get update",
    "README.md: sh scripts/bootstrap.sh --for host",
    "README.md: sh scripts/wg-up.sh",
    "README.md: install -m 644 Caddyfile",
    "README.md: npx -y pnpm@10.34.9 install",
    "README.md: sed -n",
    "README.md: install -D -m 600 ~/.lnd/",
    "README.md: node dist/index.cjs lnurl",
    "README.md: node dist/index.cjs doctor",
    "docs/backup.md: europa-node backup",
    "docs/backup.md: age -d",
    "docs/backup.md: europa-node restore today.age",
    "docs/backup.md: europa-node restore --report",
    "docs/doctor.md: europa-node doctor",
    "docs/doctor.md: curl -i",
    "docs/operations.md: europa-node books",
    "docs/operations.md: europa-node wallet republish",
    "docs/operations.md: printf %s <preimage>",
    "docs/operations.md: sqlite3 -readonly -line",
    "docs/operations.md: sqlite3 -readonly -box",
    "docs/operations.md: curl -u",
    "docs/operations.md: curl --cacert",
    "docs/operations.md: mv secrets/nsec",
    "docs/operations.md: mv secrets/p2pk",
    "docs/operations.md: mv secrets/wg-server.key",
    "docs/running-an-exit.md: nft add table",
  ],
  service: [
    "README.md: useradd",
    "docs/operations.md: git pull\n",
    "docs/operations.md: cd /var/lib/europa-node",
    "docs/operations.md: systemctl stop europa-node",
    "docs/operations.md: tar -xpf",
    "docs/operations.md: (umask 077; sqlite3",
    "docs/incidents.md: journalctl",
    "docs/incidents.md: df -h",
    "docs/incidents.md: sqlite3",
  ],
  kubernetes: [
    "docs/kubernetes.md: sh scripts/bootstrap.sh",
    "docs/kubernetes.md: sh scripts/check-placeholders.sh",
  ],
} as const;

export type Scenario = keyof typeof TYPED;

export function typedIn(scenario: Scenario): readonly string[] {
  return TYPED[scenario];
}

export const typedAnywhere: readonly string[] = Object.values(TYPED).flat();

const NO_ENGINE = "no container engine in CI; deploy-compose.test.ts and deploy-image.test.ts read the files";
const NO_CLUSTER = "no cluster in CI; deploy-kubernetes.test.ts checks the manifests against its schemas";

/** Why nobody types it in a test. */
export const notTyped: Readonly<Record<string, string>> = {
  "README.md: npx -y pnpm@10.34.9 demo": "it runs until it is ended; .ci/run types it with --once",
  "README.md: npx -y pnpm@10.34.9 test": "it is what runs this; .ci/run types it",
  "README.md: docker compose up": NO_ENGINE,
  "docs/operations.md: git pull &&": NO_ENGINE,
  "docs/doctor.md: cat token.txt": "it asks a page on the internet; doctor-buy.test.ts runs it in namespaces",
  "docs/operations.md: europa-node refund": "it takes a token; src/e2e/refund.test.ts runs it",
  "docs/kubernetes.md: docker build": NO_ENGINE,
  "docs/kubernetes.md: kubectl apply": NO_CLUSTER,
};
