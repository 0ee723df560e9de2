const ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz";

/** A cell's centre and how far its edges are from it, in degrees. */
export interface GeohashCell {
  latitude: number;
  longitude: number;
  latitudeError: number;
  longitudeError: number;
}

function isGeohash(text: string): boolean {
  return text.length > 0 && [...text].every((character) => ALPHABET.includes(character));
}

/** All prefixes, lower-cased, shortest first; none for an input with a character that geohash does not know. */
export function geohashLadder(geohash: string): string[] {
  const cell = geohash.toLowerCase();
  if (!isGeohash(cell)) return [];
  return Array.from(cell, (_, index) => cell.slice(0, index + 1));
}

/** Null for an empty text or a character that geohash does not know. */
export function decodeGeohash(geohash: string): GeohashCell | null {
  const cell = geohash.toLowerCase();
  if (!isGeohash(cell)) return null;
  const longitude = { centre: 0, error: 180 };
  const latitude = { centre: 0, error: 90 };
  let axis = longitude;
  for (const character of cell) {
    const digit = ALPHABET.indexOf(character);
    for (let bit = 16; bit > 0; bit >>= 1) {
      axis.error /= 2;
      axis.centre += digit & bit ? axis.error : -axis.error;
      axis = axis === longitude ? latitude : longitude;
    }
  }
  return {
    latitude: latitude.centre,
    longitude: longitude.centre,
    latitudeError: latitude.error,
    longitudeError: longitude.error,
  };
}

/** Keeps the tips of ladders: each geohash, lower-cased and once, that no longer one starts with. */
export function mostSpecificGeohashes(geohashes: readonly string[]): string[] {
  const cells = new Set(geohashes.map((geohash) => geohash.toLowerCase()).filter(isGeohash));
  // Sorted, whatever starts with a cell stands right behind it.
  const sorted = [...cells].sort();
  const rungs = new Set(sorted.filter((cell, index) => sorted[index + 1]?.startsWith(cell)));
  return [...cells].filter((cell) => !rungs.has(cell));
}
