/** What is found while a config is read, one line each. */
export interface Findings {
  problems: string[];
  warnings: string[];
}
