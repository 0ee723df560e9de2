/** The daemon must not run like this; the message is for the operator and holds no secret. */
export class StartRefused extends Error {
  constructor(
    message: string,
    /** 78 (EX_CONFIG) when the mend is in the configuration, else 1. */
    readonly exitCode: 1 | 78,
  ) {
    super(message);
    this.name = "StartRefused";
  }
}
