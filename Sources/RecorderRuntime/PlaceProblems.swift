public import Configuration
import Triggers

extension RecorderConfiguration {
  /// What is wrong with the names of devices by their form alone, whether they are there or not.
  public var placeProblems: [ConfigurationProblem] {
    guard !buttons.record.isEmpty else { return [] }
    do throws(TriggerError) {
      _ = try ButtonPlace(buttons.record)
      return []
    } catch {
      return [ConfigurationProblem(keys: ["buttons.record"], text: "\(error)")]
    }
  }
}
