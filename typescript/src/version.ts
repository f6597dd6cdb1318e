/** The version of this package. */

/** As `package.json` has it; a test holds the two against each other. */
export const IMPLEMENTATION_VERSION = "1.1.0";
