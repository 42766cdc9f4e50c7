import LinuxIO
import Media
import Synchronization

/// A question to a device that may not answer: asked on a thread of its own, which is left behind when it is late.
///
/// A driver that hangs in the kernel holds that thread, and may hold the end of the process, until the driver gives up.
struct Inquiry<Answer: Sendable>: Sendable {
  /// Whom it was asked; for whoever waits.
  let subject: String
  private let box = AnswerBox<Answer>()

  private final class AnswerBox<Content: Sendable>: Sendable {
    let content = Mutex<Content?>(nil)
  }

  /// Asks at once.
  init(_ subject: String, _ question: @escaping @Sendable () -> Answer) {
    self.subject = subject
    let box = box
    // ALSA reads its configuration on the stack of who asks.
    let thread = try? NamedThread("devices", stackSize: 2 << 20) {
      let answer = question()
      box.content.withLock { $0 = answer }
    }
    // Without a thread there is no limit either.
    if thread == nil {
      let answer = question()
      box.content.withLock { $0 = answer }
    }
  }

  var answer: Answer? { box.content.withLock { $0 } }

  /// The answer, or nil when it is not there by then.
  func answer(by deadline: MonotonicTime) -> Answer? {
    while true {
      if let answer { return answer }
      if MonotonicTime.now() >= deadline { return nil }
      MonotonicTime.sleep(until: min(deadline, .now() + .milliseconds(2)))
    }
  }
}
