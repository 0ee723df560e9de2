/** ndk-wallet 0.7.0 names cashu-ts 2 as its peer; we sell with cashu-ts 4, so it gets a copy of its own. */
function readPackage(pkg) {
  if (pkg.name === "@nostr-dev-kit/ndk-wallet") {
    delete pkg.peerDependencies["@cashu/cashu-ts"];
    pkg.dependencies = { ...pkg.dependencies, "@cashu/cashu-ts": "2.9.0" };
  }
  return pkg;
}

module.exports = { hooks: { readPackage } };
