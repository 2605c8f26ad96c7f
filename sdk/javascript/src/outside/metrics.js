export { Usage, count, gauge, readings } from 'occi:extension/metrics@0.1.0';
