import Testing

@testable import Core

@Suite struct ButtonTableTests {
  @Test("no gesture asks for two things, whichever three are chosen")
  func distinct() {
    let marks: [Gesture?] = Gesture.allCases + [nil]
    for start in Gesture.allCases {
      for stop in Gesture.allCases {
        for mark in marks {
          let table = ButtonTable(start: start, stop: stop, mark: mark)
          let isDistinct = start != stop && mark != start && mark != stop
          #expect((table != nil) == isDistinct, "\(start) \(stop) \(String(describing: mark))")
          guard let table else { continue }
          #expect(table.action(of: start) == .start)
          #expect(table.action(of: stop) == .stop)
          #expect(Gesture.allCases.filter { table.action(of: $0) == .mark } == [mark].compactMap { $0 })
          #expect(table.gestures == Set(Gesture.allCases.filter { table.action(of: $0) != nil }))
        }
      }
    }
  }
}
