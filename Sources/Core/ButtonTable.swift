/// What the wearer asks for with the record button.
public enum ButtonAction: String, Hashable, Sendable, CaseIterable {
  case start, stop, mark
}

/// Which gesture of the record button asks for what.
public struct ButtonTable: Hashable, Sendable {
  public var start: Gesture
  public var stop: Gesture
  /// Nil: the button sets no markers.
  public var mark: Gesture?

  /// Nil where one gesture would ask for two things: a press that was meant to start a recording must never end one.
  public init?(start: Gesture, stop: Gesture, mark: Gesture?) {
    guard start != stop, mark != start, mark != stop else { return nil }
    self.start = start
    self.stop = stop
    self.mark = mark
  }

  /// Those that mean something; the recognizer does not wait for others.
  public var gestures: Set<Gesture> { Set([start, stop, mark].compactMap { $0 }) }

  /// Nil for a gesture that means nothing.
  public func action(of gesture: Gesture) -> ButtonAction? {
    switch gesture {
    case start: .start
    case stop: .stop
    case mark: .mark
    default: nil
    }
  }
}
