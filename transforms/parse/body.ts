export interface Body {
  readonly text: string;
}
