import type { InterfaceView, SeenPeer } from "./ports.ts";

/**
 * What is news of the peers, on the interface and in the book: of ten thousand most are as they were. News wait until
 * they are taken, however often was looked.
 */
export function createPeerWatch(takeTouchedKeys: () => ReadonlySet<string>) {
  const peers = new Map<string, SeenPeer>();
  const passed = new Set<string>();
  const changed = new Set<string>();
  const unjudged = new Set<string>();

  function isNews(publicKey: string): void {
    changed.add(publicKey);
    unjudged.add(publicKey);
  }

  function see(seen: SeenPeer): void {
    const before = peers.get(seen.publicKey);
    if (before === seen) return;
    peers.set(seen.publicKey, seen);
    passed.add(seen.publicKey);
    if (before?.allowedIps !== seen.allowedIps) isNews(seen.publicKey);
  }

  function missAllBut(seen: readonly SeenPeer[]): void {
    if (peers.size === seen.length) return;
    const here = new Set(seen.map(({ publicKey }) => publicKey));
    for (const publicKey of peers.keys()) {
      if (here.has(publicKey)) continue;
      peers.delete(publicKey);
      isNews(publicKey);
    }
  }

  return {
    /** Takes in how the interface is, and what of the book is another since. */
    look(view: InterfaceView): void {
      for (const seen of view.peers) see(seen);
      missAllBut(view.peers);
      for (const publicKey of takeTouchedKeys()) {
        passed.add(publicKey);
        isNews(publicKey);
      }
    },
    /** As the interface was at the last look. */
    peers: peers as ReadonlyMap<string, SeenPeer>,
    /** Those whose counters changed, or that the book has other sessions of. */
    takePassed: () => takeAll(passed),
    /** Those that have other addresses, came or went, here or in the book. */
    takeChanged(): ReadonlySet<string> {
      unjudged.clear();
      return takeAll(changed);
    },
    /** Of those that changed the ones that were not taken before, either way. */
    takeUnjudged: () => takeAll(unjudged),
    /** They did not become as the book has them. */
    again(publicKeys: readonly string[]): void {
      for (const publicKey of publicKeys) changed.add(publicKey);
    },
  };
}

function takeAll(news: Set<string>): ReadonlySet<string> {
  const taken = new Set(news);
  news.clear();
  return taken;
}
