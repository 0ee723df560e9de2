/** sysexits.h: wrong arguments. */
export const EXIT_USAGE = 64;
/** sysexits.h: no daemon answers. */
export const EXIT_UNAVAILABLE = 69;
/** `lnurl`: nothing is sold over Lightning. */
export const EXIT_NOTHING_SOLD = 1;
/** `books`: something does not balance. */
export const EXIT_DIFFERS = 1;
/** `doctor`: a check fails. */
export const EXIT_FAILS = 1;
/** Something could not be looked at, or not be done yet. */
export const EXIT_UNKNOWN = 2;
/** The daemon answers that it cannot do this, and says why. */
export const EXIT_REFUSED = 1;
