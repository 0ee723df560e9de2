/** Headers that give each request a client address of its own: limits are not what is tried here. */
export function createClientAddresses(): () => { "x-forwarded-for": string } {
  let requests = 0;
  return () => {
    requests += 1;
    return { "x-forwarded-for": `10.${(requests >> 16) & 255}.${(requests >> 8) & 255}.${requests & 255}` };
  };
}
