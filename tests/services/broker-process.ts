/** One way of running a broker for tests. */
export interface BrokerProcess {
  readonly logFile: string;
  start(): Promise<void>;
  isRunning(): boolean;
  end(how: 'clean' | 'kill'): Promise<void>;
  lastWords(): Promise<string>;
  remove(): Promise<void>;
}
