export { type ProxyMode, TcpProxy } from '../../bench/faults/tcp-proxy.js';
