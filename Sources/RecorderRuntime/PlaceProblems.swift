public import Configuration
import Core
import Indicators
import Power
import Triggers

extension RecorderConfiguration {
  /// What is wrong with the names of devices by their form alone, whether they are there or not.
  public var placeProblems: [ConfigurationProblem] {
    var problems: [ConfigurationProblem] = []
    if !buttons.record.isEmpty {
      do throws(TriggerError) { _ = try ButtonPlace(buttons.record) } catch {
        problems.append(ConfigurationProblem(keys: ["buttons.record"], text: "\(error)"))
      }
    }
    for output in SignOutput.allCases where !indicators[output].isEmpty {
      do throws(IndicatorError) { _ = try OutputPlace(indicators[output]) } catch {
        problems.append(ConfigurationProblem(keys: ["indicators.\(output.rawValue)"], text: "\(error)"))
      }
    }
    if !power.failLine.isEmpty {
      do throws(PowerError) { _ = try PowerFailPlace(power.failLine) } catch {
        problems.append(ConfigurationProblem(keys: ["power.fail_line"], text: "\(error)"))
      }
    }
    return problems
  }
}
