import Synchronization

/// Hands one value that only one thread may use from the thread that made it to the thread that will use it.
final class Handover<Value: ~Copyable>: Sendable {
  private let box: Mutex<Value?>

  init(_ value: consuming sending Value) { box = Mutex(value) }

  /// The value, once.
  func take() -> sending Value? { box.withLock { $0.take() } }
}
