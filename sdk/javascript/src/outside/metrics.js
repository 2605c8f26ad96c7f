export { Usage, count, gauge } from 'occi:extension/metrics@0.1.0';
