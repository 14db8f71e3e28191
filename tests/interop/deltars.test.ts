import { interopSuite } from './suite.ts';

interopSuite('deltars');
