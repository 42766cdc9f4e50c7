import Control
import Glibc
import LinuxIO
import Media

/// The recorder's Unix socket, served by the control loop: a few clients at once, nothing that blocks.
struct ControlServer: ~Copyable {
  /// More clients than this are told so and sent away.
  static let clientLimit = 8
  private static let idleLimit = Nanoseconds.seconds(10)
  /// A client that asks and does not read is dropped.
  private static let outputLimit = 128 << 10

  /// A class, so that it can be kept in an array although its socket cannot be copied.
  private final class Client {
    let socket: UnixSocket
    var requests = ControlRequestBuffer()
    var output: [UInt8] = []
    var lastHeard: MonotonicTime
    var isFinished = false

    init(_ socket: consuming UnixSocket, now: MonotonicTime) {
      self.socket = socket
      lastHeard = now
    }
  }

  private let listener: UnixListener
  private var clients: [Client] = []

  init(path: String, group: String) throws(LinuxError) {
    listener = try UnixListener(path: path, mode: 0o660, group: group.isEmpty ? nil : group)
  }

  var rawValue: CInt { listener.rawValue }

  /// Takes waiting connections; returns the descriptors to watch.
  mutating func acceptAll(now: MonotonicTime) throws(LinuxError) -> [CInt] {
    var added: [CInt] = []
    while let socket = try listener.accept() {
      guard clients.count < Self.clientLimit else {
        let busy = ControlReply.failure(.busy, "\(Self.clientLimit) clients are connected; try again").serialised()
        _ = try? socket.write(busy.span.bytes)
        continue
      }
      added.append(socket.rawValue)
      clients.append(Client(socket, now: now))
    }
    return added
  }

  /// Reads from one client and answers each complete request with `reply`.
  mutating func serve(_ descriptor: CInt, now: MonotonicTime, reply: (ControlRequest) -> ControlReply) {
    guard let client = clients.first(where: { $0.socket.rawValue == descriptor }) else { return }
    withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 1) { buffer in
      for _ in 0..<8 {
        let result: UnixSocket.ReadResult
        do throws(LinuxError) { result = try client.socket.read(into: buffer) } catch {
          client.isFinished = true
          return
        }
        guard case .bytes(let count) = result else {
          if case .closed = result { client.isFinished = true }
          break
        }
        client.lastHeard = now
        let isSound = client.requests.receive(buffer[..<count]) { request in
          switch request {
          case .success(let request): client.output += reply(request).serialised()
          case .failure(let error): client.output += ControlReply(error).serialised()
          }
        }
        if !isSound || client.output.count > Self.outputLimit { client.isFinished = true }
      }
    }
    flush(client)
  }

  /// Drops clients that are done, or that were silent too long; returns their descriptors, still valid to unwatch.
  mutating func sweep(now: MonotonicTime, unwatch: (CInt) -> Void) {
    for client in clients where !client.output.isEmpty { flush(client) }
    clients.removeAll { client in
      let isGone = client.isFinished || now - client.lastHeard > Self.idleLimit
      if isGone { unwatch(client.socket.rawValue) }
      return isGone
    }
  }

  private func flush(_ client: Client) {
    while !client.output.isEmpty {
      do throws(LinuxError) {
        let count = try client.socket.write(client.output.span.bytes)
        guard count > 0 else { return }
        client.output.removeFirst(count)
      } catch {
        client.output.removeAll()
        client.isFinished = true
      }
    }
  }
}
