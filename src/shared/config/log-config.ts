export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export const LOG_FORMATS = ['text', 'json'] as const;

export interface LogConfig {
  readonly level: (typeof LOG_LEVELS)[number];
  /** `text` is for people and their greps, `json` for collectors. */
  readonly format: (typeof LOG_FORMATS)[number];
}
