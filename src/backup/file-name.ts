/** `europa-node-20261128T131557Z.age`: by name is by time. */
export function fileNameOf(madeAt: number): string {
  const time = new Date(madeAt * 1000).toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
  return `europa-node-${time}.age`;
}

export function isFileName(name: string): boolean {
  return /^europa-node-\d{8}T\d{6}Z\.age$/.test(name);
}
